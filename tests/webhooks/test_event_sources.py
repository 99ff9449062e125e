"""Systems that speak the neutral format are known by the signature that the settings name for each."""

import asyncio
import hmac
import importlib.util
import io
import json
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from providers import hex_signature
from providers.envelope import BadSignature
from tests.providers import commet_events
from tests.providers.neutral import ORIGIN
from tests.webhooks.conftest import Query, StartReceiver
from tests.webhooks.stripe_calls import signature
from webhooks.app import Receiver
from webhooks.config import ReceiverConfig
from webhooks.log import Log

SECRET, OLDER = ("whsec_" + b64encode(key).decode() for key in (b"k" * 24, b"o" * 24))
PLAIN, OLD = "plain-secret-0123456789", "older-secret-0123456789"
SOURCES = (
    f"acme standard {OLDER} {SECRET}",
    f"like-stripe stripe {OLD} {PLAIN}",
    f"bare hex:X-Acme-Signature {OLD} {PLAIN}",
)
COMMET = ("whsec_older_of_commet", commet_events.SECRET)
BODY = json.dumps(ORIGIN).encode()
Call = tuple[str, bytes, Any]
Post = Callable[..., list[httpx.Response]]


@pytest.fixture
def post(config: ReceiverConfig) -> Post:
    """Deliver calls to a receiver in this process, over its own store."""

    def deliver(*calls: Call, log: io.StringIO | None = None) -> list[httpx.Response]:
        receiver = Receiver(
            replace(config, secrets={"DUNNING_EVENT_SOURCES": SOURCES, "COMMET_WEBHOOK_SECRETS": COMMET}),
            Log("json", "info", log or io.StringIO()),
        )

        async def run() -> list[httpx.Response]:
            receiver.start()
            transport = httpx.ASGITransport(app=receiver)
            async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
                answers = [
                    await client.post(f"/webhooks/{path(name)}", content=body, headers=headers)
                    for name, body, headers in calls
                ]
            await receiver.close()
            return answers

        return asyncio.run(run())

    return deliver


def path(name: str) -> str:
    return name if name == "commet" else f"events/{name}"


def standard(body: bytes = BODY, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """As the public library of Standard Webhooks signs."""
    when = datetime.fromtimestamp(int(time.time() if at is None else at), UTC)
    signed = Webhook(secret).sign("msg_1", when, body.decode())
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": signed,
    }


def like_stripe(body: bytes = BODY, secret: str = PLAIN, at: float | None = None) -> dict[str, str]:
    seconds = int(time.time() if at is None else at)
    return {"webhook-signature": f"t={seconds},v1={signature(body, secret, seconds)}"}


def bare(body: bytes = BODY, secret: str = PLAIN) -> dict[str, str]:
    return {"x-acme-signature": hmac.new(secret.encode(), body, "sha256").hexdigest()}


def test_each_scheme_is_known_with_either_secret(post: Post, query: Query) -> None:
    """The one event of each source, whichever secret it is signed with while that is replaced."""
    answers = post(
        ("acme", BODY, standard()),
        ("acme", BODY, standard(secret=OLDER)),
        ("like-stripe", BODY, like_stripe()),
        ("like-stripe", BODY, like_stripe(secret=OLD)),
        ("bare", BODY, bare()),
        ("bare", BODY, bare(secret=OLD)),
        ("bare", BODY, {"x-acme-signature": "sha256=" + bare()["x-acme-signature"]}),
    )
    assert {answer.status_code for answer in answers} == {200}
    rows = query("SELECT source, event_id, type, status, payload FROM inbox ORDER BY source")
    assert [row["source"] for row in rows] == ["acme", "bare", "like-stripe"]
    assert {(row["event_id"], row["status"], row["payload"]) for row in rows} == {
        ("evt_01HX", "pending", BODY)
    }


def wrong() -> list[Call]:
    """Calls whose signature is missing, or of another body, time, key or scheme, or no text at all."""
    return [
        *(
            (name, BODY, headers)
            for name in ("acme", "like-stripe", "bare")
            for headers in ({}, {"webhook-signature": "telltale", "x-acme-signature": "telltale"})
        ),
        ("acme", BODY, standard(b"other")),
        ("acme", BODY, standard(at=time.time() - 400)),
        ("acme", BODY, standard(at=time.time() + 400)),
        ("acme", BODY, standard() | {"webhook-id": "msg_2"}),
        ("acme", BODY, standard(secret="whsec_" + b64encode(b"n" * 24).decode())),
        ("acme", BODY, like_stripe(secret=SECRET)),
        ("acme", BODY, standard() | {"webhook-signature": "v1,ümlaut".encode()}),
        ("like-stripe", BODY, like_stripe(b"other")),
        ("like-stripe", BODY, like_stripe(at=time.time() - 400)),
        ("like-stripe", BODY, like_stripe(secret=SECRET)),
        ("like-stripe", BODY, {"webhook-signature": f"t={int(time.time())},v1=é".encode()}),
        ("bare", BODY, bare(b"other")),
        ("bare", BODY, bare(secret="")),
        ("bare", BODY, {"x-acme-signature": bare()["x-acme-signature"].upper()}),
        ("bare", BODY, {"x-acme-signature": "é".encode()}),
        ("bare", BODY, {"x-acme-signature": b"\xff\xfe" * 32}),
        ("bare", BODY, {"x-signature": bare()["x-acme-signature"]}),
    ]


def test_every_wrong_signature_gets_the_same_answer(post: Post, query: Query) -> None:
    """Nobody learns which of them it was."""
    log = io.StringIO()
    answers = post(*wrong(), log=log)
    assert {(answer.status_code, answer.text) for answer in answers} == {(400, "invalid webhook\n")}
    assert query("SELECT id FROM inbox") == []
    assert "telltale" not in log.getvalue()
    assert "secret-01" not in log.getvalue()


def test_a_replay_counts_once_even_where_no_time_is_signed(post: Post, query: Query) -> None:
    """The event's id is the key: a delivery that somebody recorded changes nothing."""
    answers = post(("bare", BODY, bare()), ("bare", BODY, bare()), ("bare", BODY, bare()))
    assert {answer.status_code for answer in answers} == {200}
    assert len(query("SELECT id FROM inbox")) == 1


def test_a_replay_counts_once_while_its_time_is_good_and_is_refused_later(post: Post, query: Query) -> None:
    """Where a time is signed, a recorded delivery is worth nothing after five minutes."""
    recorded = [("acme", BODY, standard()), ("like-stripe", BODY, like_stripe())]
    late = time.time() - 301
    stale = [("acme", BODY, standard(at=late)), ("like-stripe", BODY, like_stripe(at=late))]
    answers = post(*recorded, *recorded, *stale)
    assert [answer.status_code for answer in answers] == [200] * 4 + [400] * 2
    assert len(query("SELECT id FROM inbox")) == 2


def test_commet_is_known_by_either_secret_and_by_nothing_else(post: Post, query: Query) -> None:
    """Missing, of another body or key, in capitals, no text: one answer. A delivery again counts once."""
    body = commet_events.dumped(commet_events.event("payment.failed"))
    [name] = commet_events.signed(body)
    good = commet_events.signed(body)[name]
    wrong: list[dict[str, Any]] = [
        {},
        commet_events.signed(body + b" "),
        commet_events.signed(body, "whsec_of_somebody_else"),
        commet_events.signed(body, ""),
        {name: good.upper()},
        {name: good[:-1]},
        {name: "é".encode()},
        {name: b"\xff\xfe" * 32},
        {"x-signature": good},
        standard(body, SECRET),
    ]
    refused = post(*(("commet", body, headers) for headers in wrong))
    assert {(answer.status_code, answer.text) for answer in refused} == {(400, "invalid webhook\n")}
    known = [commet_events.signed(body, secret) for secret in COMMET]
    assert {each.status_code for each in post(*(("commet", body, headers) for headers in known * 2))} == {200}
    assert [row["source"] for row in query("SELECT source FROM inbox")] == ["commet"]


def test_a_source_that_nobody_set_up_has_no_path(post: Post) -> None:
    """Nor has a name with something behind it."""
    calls = [(name, BODY, standard()) for name in ("other", "acme/", "", "%61cme2")]
    assert {answer.status_code for answer in post(*calls)} == {404}


def test_what_is_no_event_is_refused_and_another_type_kept_without_its_content(
    post: Post, query: Query
) -> None:
    """A sender who posts something else by mistake hears of it."""
    other = json.dumps(ORIGIN | {"type": "subscription.renewed"}).encode()
    test_mode = json.dumps(ORIGIN | {"id": "evt_live", "livemode": True}).encode()
    bodies = [b"[]", b"{}", b"\xff", json.dumps(ORIGIN | {"id": 7}).encode(), other, test_mode]
    answers = post(*(("bare", body, bare(body)) for body in bodies))
    assert [answer.status_code for answer in answers] == [400, 400, 400, 400, 200, 200]
    rows = query("SELECT type, status, payload FROM inbox ORDER BY id")
    assert [(row["type"], row["status"], row["payload"]) for row in rows] == [
        ("subscription.renewed", "ignored", None),
        ("subscription.payment_failed", "ignored", None),
    ]


def test_an_empty_secret_lets_nobody_in() -> None:
    """Anybody could sign with it."""
    for secrets in ([], [b""], [b"good enough to sign", b""]):
        with pytest.raises(BadSignature):
            hex_signature.verify(hmac.new(b"", b"{}", "sha256").hexdigest().encode(), b"{}", secrets)


def sender() -> ModuleType:
    """The example in docs/, as somebody would copy it."""
    path = Path(__file__).resolve().parents[2] / "docs" / "examples" / "send_event.py"
    spec = importlib.util.spec_from_file_location("send_event", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_documented_sender_is_understood(
    start_receiver: StartReceiver, config: ReceiverConfig, query: Query
) -> None:
    """Through a real receiver on its port, by nothing but Python's own library."""
    receiver = start_receiver(replace(config, secrets={"DUNNING_EVENT_SOURCES": SOURCES}))
    url = f"http://127.0.0.1:{receiver.port}/webhooks/events/acme"
    assert sender().send(url, SECRET, ORIGIN) == 200
    assert [row["event_id"] for row in query("SELECT event_id FROM inbox")] == ["evt_01HX"]
