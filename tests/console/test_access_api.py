"""The access API over real HTTP, about customers whose rows the worker wrote."""

import socket

import httpx

from console.headers import HEADERS
from sandbox.stripe import custom_schedule
from tests.console.conftest import KEYS
from tests.console.process import ApiProcess
from tests.scenarios.story import subscriber
from tests.scenarios.world import World

PROBLEM = "application/problem+json"


def is_problem(answer: httpx.Response, status: int, code: str) -> bool:
    """Whether it is an RFC 9457 answer of that kind, and not to be kept by anybody."""
    body = answer.json()
    return (
        answer.status_code == body["status"] == status
        and body["code"] == code
        and answer.headers["content-type"] == PROBLEM
        and answer.headers["cache-control"] == "no-store"
        and bool(body["title"])
    )


def test_a_customer_who_pays_has_full_access(world: World, api: ApiProcess) -> None:
    """All facts are there, times in ISO 8601 with Z, and there is nothing to tell the customer."""
    story = subscriber(world)
    answer = api.access(story.customer.id)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "customer": story.customer.id,
        "access": True,
        "level": "full",
        "reason": "good_standing",
        "until": None,
        "subscription": story.subscription.id,
        "changed_at": "2026-01-02T09:00:00Z",
        "banner": None,
    }


def test_a_failed_payment_warns_and_never_names_the_reason(world: World, api: ApiProcess) -> None:
    """The banner says that a payment failed and until when there is access; a stolen card stays unsaid."""
    story = subscriber(world, "stolen_card").until(1)
    answer = api.access(story.customer.id)
    said = answer.json()
    assert (said["access"], said["level"], said["reason"]) == (True, "warned", "payment_failed")
    assert said["until"] == "2026-02-12T10:00:00Z"
    assert "payment failed" in said["banner"]
    assert "February 12, 2026" in said["banner"]
    assert "stolen" not in answer.text


def test_access_ends_and_comes_back(world: World, api: ApiProcess) -> None:
    """Revoked at the end of grace, with a text that says what helps; full again once the invoice is paid."""
    story = subscriber(world, "do_not_honor", "ok", retries=custom_schedule(40)).until(16)
    gone = api.access(story.customer.id).json()
    assert (gone["access"], gone["level"], gone["reason"]) == (False, "revoked", "grace_expired")
    assert "Once it is paid" in gone["banner"]
    assert story.pay()
    back = api.access(story.customer.id).json()
    assert (back["access"], back["level"], back["banner"]) == (True, "full", None)


LANGUAGES: list[tuple[tuple[str, ...], str | None, str]] = [
    (("de",), None, "Zahlung"),
    (("de",), "*", "Zahlung"),
    (("de",), "en-GB, de;q=0.5", "12\N{NO-BREAK SPACE}February 2026"),
    (("de",), "it", "Zahlung"),
    ((), "it, de-AT;q=0.8, en;q=0.1", "Zahlung"),
    ((), "fr-CA, en;q=0.5", "Votre paiement"),
    ((), "es", "Su pago"),
    ((), "pt-BR", "O seu pagamento"),
    ((), "ja", "お支払い"),
    ((), "it", "payment failed"),
    ((), None, "payment failed"),
]


def test_the_banner_speaks_the_reader_s_language(world: World, api: ApiProcess) -> None:
    """What the request asks for goes before what the customer prefers, and English is the last resort."""
    stories = {
        locales: subscriber(world, "insufficient_funds", preferred_locales=locales).until(1)
        for locales in {locales for locales, _, _ in LANGUAGES}
    }
    for locales, asked, expected in LANGUAGES:
        answer = api.access(stories[locales].customer.id, accept_language=asked or "")
        assert expected in answer.json()["banner"], (locales, asked)
        assert answer.headers["vary"] == "Accept-Language"


def test_an_unchanged_answer_costs_no_body(world: World, api: ApiProcess) -> None:
    """The ETag of the present answer, strong or weak or among others, brings 304; another one the answer."""
    story = subscriber(world, "insufficient_funds")
    first = api.access(story.customer.id)
    etag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, max-age=10"
    for held in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = api.access(story.customer.id, if_none_match=held)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert again.headers["cache-control"] == first.headers["cache-control"]
    assert api.access(story.customer.id, if_none_match='"other"').status_code == 200
    story.until(1)
    changed = api.access(story.customer.id, if_none_match=etag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


def test_head_answers_like_get_without_a_body(world: World, api: ApiProcess) -> None:
    """The same headers and no body."""
    story = subscriber(world)
    head = api.client.head(f"/v1/access/{story.customer.id}")
    get = api.access(story.customer.id)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-type", "content-length", "cache-control"):
        assert head.headers[name] == get.headers[name]


def test_a_customer_nobody_knows_is_404_and_not_no_access(world: World, api: ApiProcess) -> None:
    """Unknown ids, unknown sources, ids that cannot exist: a problem that says what it does not mean."""
    story = subscriber(world)
    strange = ("cus_unknown", "%00", "x" * 300, "%E2%80%AE", "a%2Fb", "..%2F..", "%FF", "'%3B--")
    for customer in (*strange, f"{story.customer.id}?source=commet", f"{story.customer.id}?source=%00"):
        assert api.access(customer).status_code == 404, customer
    answer = api.access("cus_unknown")
    assert is_problem(answer, 404, "unknown_customer")
    assert "not the same as having no access" in answer.json()["detail"]
    assert api.access(f"{story.customer.id}?source=stripe").status_code == 200


def test_both_keys_are_good(api: ApiProcess) -> None:
    """One key can be replaced by another without a gap; the scheme's case does not matter."""
    for key in KEYS:
        assert api.access("cus_1", authorization=f"Bearer {key}").status_code == 404
    assert api.access("cus_1", authorization=f"bearer  {KEYS[1]}").status_code == 404


GOOD = KEYS[0].encode()
BAD_KEYS = [
    None,
    b"",
    b"Bearer",
    b"Basic " + GOOD,
    GOOD,
    b"Bearer wrong",
    b"Bearer " + GOOD + b"x",
    b"Bearer " + GOOD + b"," + GOOD,
    b"Bearer sch\xc3\xbcssel \xff",
]


def test_without_a_good_key_nothing_is_told(api: ApiProcess) -> None:
    """401 with a challenge, for pages that do not exist as well; any bytes whatever are no fault of ours."""
    with httpx.Client(base_url=f"http://127.0.0.1:{api.port}", trust_env=False) as anybody:
        for key in BAD_KEYS:
            headers = [] if key is None else [(b"authorization", key)]
            for path in ("/v1/access/cus_1", "/v1/nothing", "/v1/access/cus_1/", "/v1/access"):
                answer = anybody.get(path, headers=headers)
                assert answer.status_code == 401, key
                assert answer.headers["www-authenticate"].startswith('Bearer realm="dunning"')
                assert answer.headers["content-type"] == PROBLEM


def test_two_authorization_headers_are_none(api: ApiProcess) -> None:
    """Which of them counts would be a guess."""
    pairs = [("Authorization", "Bearer wrong"), ("Authorization", f"Bearer {KEYS[0]}")]
    answer = httpx.get(f"http://127.0.0.1:{api.port}/v1/access/cus_1", headers=pairs, trust_env=False)
    assert answer.status_code == 401


def test_other_methods_and_pages_are_problems_too(api: ApiProcess) -> None:
    """405 names what is allowed, 404 stays 404 with a trailing slash: nobody is sent elsewhere."""
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = api.client.request(method, "/v1/access/cus_1")
        assert is_problem(answer, 405, "method_not_allowed")
        assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
    for path in ("/", "/v1", "/v1/", "/v1/access", "/v1/access/", "/v1/access/cus_1/", "/v2/access/cus_1"):
        assert is_problem(api.client.get(path), 404, "not_found"), path


def test_no_browser_takes_an_answer_for_anything_but_data(api: ApiProcess) -> None:
    """Errors and the script included; and a page of another origin can read none of it."""
    origin = {"origin": "https://evil.example", "access-control-request-method": "GET"}
    for method in ("GET", "HEAD", "OPTIONS", "POST"):
        for path in ("/v1/access/cus_1", "/v1/banner/cus_1", "/v1/banner.js", "/v1/nothing", "/", "/healthz"):
            answer = api.client.request(method, path, headers=origin)
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS
            assert not [name for name in answer.headers if name.startswith("access-control-")]
            assert "set-cookie" not in answer.headers


def test_health_needs_no_key(api: ApiProcess) -> None:
    """Liveness and readiness are for the machine that runs it."""
    with httpx.Client(base_url=f"http://127.0.0.1:{api.port}", trust_env=False) as anybody:
        assert anybody.get("/healthz").json() == {"status": "ok"}
        assert anybody.get("/readyz").json() == {"status": "ready", "database": "up"}
        assert anybody.head("/healthz").status_code == 200


def test_it_stops_cleanly_with_a_connection_open(api: ApiProcess) -> None:
    """An idle keep-alive connection does not hold up SIGTERM, and the exit code is 0."""
    with socket.create_connection(("127.0.0.1", api.port)):
        assert api.client.get("/healthz").status_code == 200
        assert api.stop() == 0
    assert api.said("api.stopped")


def test_logs_hold_no_key_and_no_customer_s_words(world: World, api: ApiProcess) -> None:
    """Neither keys nor addresses nor amounts stand in any line."""
    story = subscriber(world, "insufficient_funds").until(1)
    api.access(story.customer.id)
    api.access(story.customer.id, authorization="Bearer wrong-key-that-nobody-made")
    api.stop()
    text = str(api.log)
    for secret in (*KEYS, "wrong-key-that-nobody-made", story.email, "1900"):
        assert secret not in text
