"""Stripe's signature and envelope: what is accepted, and that nothing else is."""

import hmac
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.envelope import BadEnvelope, BadSignature
from providers.stripe.webhook import HANDLED, MAX_SIGNATURES, connect_envelope, envelope, verify

SECRET = b"whsec_test"
OTHER = b"whsec_test_other"
NOW = 1_700_000_000.0
BODY = b'{"id":"evt_1","object":"event"}'
VECTOR = b"4c15fb2a43f93ef61eaa3e0893866d57cad9cad4223242cfb96f362480cb4021"


def sign(body: bytes = BODY, secret: bytes = SECRET, at: int = int(NOW)) -> bytes:
    """The hexadecimal v1 of `body`, computed apart from the code under test."""
    return hmac.new(secret, str(at).encode() + b"." + body, "sha256").hexdigest().encode()


def header(*signatures: bytes, at: int = int(NOW)) -> bytes:
    """A Stripe-Signature header with these v1 values."""
    return b",".join([b"t=" + str(at).encode(), *(b"v1=" + signature for signature in signatures)])


def event(**changes: Any) -> bytes:
    """A small snapshot event; None removes a field."""
    fields = {
        "id": "evt_1",
        "object": "event",
        "type": "invoice.payment_failed",
        "created": 1_700_000_000,
        "livemode": False,
    } | changes
    return json.dumps({key: value for key, value in fields.items() if value is not None}).encode()


def refusal(head: bytes, body: bytes = BODY, secrets: tuple[bytes, ...] = (SECRET,), now: float = NOW) -> str:
    """The reason code `verify` refuses with."""
    with pytest.raises(BadSignature) as refused:
        verify(head, body, secrets, now)
    return str(refused.value)


def test_known_vector() -> None:
    """The published vector verifies, so the scheme is Stripe's and not merely our own."""
    verify(header(VECTOR), BODY, [SECRET], NOW)


def test_agrees_with_stripes_own_library() -> None:
    """A header made by the stripe package for a body with non-ASCII text verifies."""
    from stripe import WebhookSignature

    text = '{"id":"evt_1","name":"Zoë ☕"}'
    made = WebhookSignature.generate_signature_header(text, SECRET.decode(), int(NOW))
    verify(made.encode(), text.encode(), [SECRET], NOW)


@pytest.mark.parametrize("secrets", [(SECRET, OTHER), (OTHER, SECRET)])
def test_any_secret_with_any_signature(secrets: tuple[bytes, ...]) -> None:
    """While a secret is rolled, one match of several secrets and several v1 is enough."""
    verify(header(sign(secret=b"whsec_test_unknown"), sign()), BODY, secrets, NOW)


@pytest.mark.parametrize("skew", [-300, 0, 300])
def test_inside_the_tolerance(skew: int) -> None:
    """300 s either way is still fresh."""
    verify(header(sign()), BODY, [SECRET], NOW + skew)


@pytest.mark.parametrize("skew", [-301, 301, 10**9])
def test_outside_the_tolerance(skew: int) -> None:
    """Older or further in the future than 300 s is refused though the signature is right."""
    assert refusal(header(sign()), now=NOW + skew) == "timestamp"


def test_v0_is_never_accepted() -> None:
    """A right signature under any scheme but v1 does not count."""
    assert refusal(b"t=1700000000,v0=" + sign()) == "header_malformed"
    assert refusal(header(b"0" * 64) + b",v0=" + sign()) == "signature"


@pytest.mark.parametrize(
    "head",
    [
        b"nonsense",
        b"t=,v1=" + VECTOR,
        b"t=-1700000000,v1=" + VECTOR,
        b"t=1700000000",
        b"t=1700000000,t=1700000000,v1=" + VECTOR,
        b"t=" + b"9" * 5_000 + b",v1=" + VECTOR,
        "t=170000000\N{ARABIC-INDIC DIGIT ZERO},v1=".encode() + VECTOR,
        header(*[VECTOR] * (MAX_SIGNATURES + 1)),
    ],
)
def test_malformed_headers(head: bytes) -> None:
    """A header that is not Stripe's form is refused before anything is computed."""
    assert refusal(head) == "header_malformed"


def test_missing_header() -> None:
    """No header is its own reason in the log."""
    assert refusal(b"") == "header_missing"


@pytest.mark.parametrize(
    "signature", ["é".encode(), b"\xff\xfe", b"", VECTOR[:-1], VECTOR.upper(), VECTOR + b"0"]
)
def test_wrong_signatures(signature: bytes) -> None:
    """Non-ASCII, empty, cut, re-cased and prolonged signatures are refused, and raise nothing else."""
    assert refusal(header(signature)) == "signature"


@pytest.mark.parametrize("secrets", [(), (b"",), (SECRET, b"")])
def test_empty_secret_refuses_everything(secrets: tuple[bytes, ...]) -> None:
    """An empty signing secret would let anybody sign: then nothing is accepted."""
    assert refusal(header(sign(secret=b"")), secrets=secrets) == "no_secret"


@given(head=st.binary(max_size=200), body=st.binary(max_size=200))
def test_no_bytes_are_accepted_by_chance(head: bytes, body: bytes) -> None:
    """Any bytes are refused with BadSignature and no other error."""
    assert refusal(head, body)


@given(position=st.integers(0, len(BODY) - 1), value=st.integers(1, 255))
def test_a_changed_byte_is_noticed(position: int, value: int) -> None:
    """The raw bytes are signed: one changed byte of the body is refused."""
    changed = bytearray(BODY)
    changed[position] ^= value
    assert refusal(header(VECTOR), bytes(changed)) == "signature"


def test_snapshot_event() -> None:
    """A handled snapshot event waits for a worker, with its time in UTC."""
    read = envelope(event())
    assert (read.event_id, read.type, read.livemode) == ("evt_1", "invoice.payment_failed", False)
    assert read.created_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert (read.disposition, read.note) == ("pending", None)


@pytest.mark.parametrize("mark", [{"account": "acct_1"}, {"context": "acct_1"}, {"context": "org_1/acct_1"}])
def test_an_event_of_another_account_is_put_aside(mark: dict[str, str]) -> None:
    """This endpoint is for one account, whose own events name none."""
    read = envelope(event(**mark))
    assert (read.disposition, read.note) == ("ignored", "of another account than this endpoint's")
    assert read.account is None


@pytest.mark.parametrize(
    ("mark", "account", "disposition"),
    [
        ({"account": "acct_1"}, "acct_1", "pending"),
        ({"account": "acct_1", "type": "account.application.deauthorized"}, "acct_1", "pending"),
        ({"object": "v2.core.event", "type": "v1.invoice.paid", "context": "acct_1"}, "acct_1", "pending"),
        ({"account": "acct_1", "type": "invoice.created"}, "acct_1", "ignored"),
        ({}, "connect", "ignored"),
        ({"context": "acct_1"}, "connect", "ignored"),
        ({"account": "acct_1:de"}, "connect", "ignored"),
        ({"account": ["acct_1"]}, "connect", "ignored"),
        (
            {"object": "v2.core.event", "type": "v1.invoice.paid", "context": "org_1/acct_1"},
            "connect",
            "ignored",
        ),
    ],
)
def test_a_platform_hears_of_connected_accounts_only(
    mark: dict[str, Any], account: str, disposition: str
) -> None:
    """Each event is its account's; what names none is put aside, and hides no event of the platform's."""
    read = connect_envelope(event(**mark))
    assert (read.account, read.disposition) == (account, disposition)


def test_thin_event() -> None:
    """A thin event keeps its `v1.` type and has its ISO time read."""
    read = envelope(
        event(
            object="v2.core.event", type="v1.invoice.paid", created="2026-10-28T12:00:00.000Z", livemode=True
        )
    )
    assert (read.type, read.livemode, read.disposition) == ("v1.invoice.paid", True, "pending")
    assert read.created_at == datetime(2026, 10, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize("handled", sorted(HANDLED))
def test_handled_types_wait_in_both_forms(handled: str) -> None:
    """Every handled type is pending as a snapshot and as its thin twin."""
    assert envelope(event(type=handled)).disposition == "pending"
    assert envelope(event(object="v2.core.event", type=f"v1.{handled}")).disposition == "pending"


@pytest.mark.parametrize(
    ("kind", "event_type"),
    [
        ("event", "invoice.created"),
        ("event", "v1.invoice.paid"),
        ("v2.core.event", "invoice.paid"),
        ("v2.core.event", "v2.core.account.updated"),
        ("customer", "invoice.paid"),
        (None, "invoice.paid"),
        (["event"], "invoice.paid"),
    ],
)
def test_everything_else_is_ignored_by_name(kind: Any, event_type: str) -> None:
    """Other types and other kinds are no errors: ignored, and the note says why."""
    read = envelope(event(object=kind, type=event_type))
    assert read.disposition == "ignored"
    assert read.note


@pytest.mark.parametrize("created", [None, True, 1.5, "soon", "2026-10-28T12:00:00", 10**18, -(10**18), {}])
def test_unreadable_time_costs_no_event(created: Any) -> None:
    """An event with a time that cannot be read is kept, without it."""
    read = envelope(event(created=created))
    assert read.created_at is None
    assert read.disposition == "pending"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "json"),
        (b"[" * 200_000, "json"),
        (b'{"id": ' + b"9" * 5_000 + b"}", "json"),
        (b"\xff\xfe{}", "utf8"),
        (b'{"id":"\xc3("}', "utf8"),
        ('{"id":"evt_1"}'.encode("utf-16"), "utf8"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b'"evt_1"', "not_an_object"),
        (event(id=None), "id"),
        (event(id=""), "id"),
        (event(id=7), "id"),
        (event(id="evt_\x00"), "id"),
        (event(id="evt_\ud800"), "id"),
        (event(id="e" * 256), "id"),
        (event(type=None), "type"),
        (event(type=["invoice.paid"]), "type"),
        (event(livemode=None), "livemode"),
        (event(livemode="false"), "livemode"),
    ],
)
def test_signed_bodies_that_are_no_events(body: bytes, reason: str) -> None:
    """A signed body that is no event is refused with one kind of error, which never quotes it."""
    with pytest.raises(BadEnvelope) as refused:
        envelope(body)
    assert str(refused.value) == reason
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["id", "type", "created", "livemode", "object"]), inner)
        ),
    )
)
def test_any_json_is_an_envelope_or_is_refused(value: Any) -> None:
    """No JSON value raises anything but BadEnvelope."""
    with suppress(BadEnvelope):
        assert envelope(json.dumps(value).encode()).disposition in ("pending", "ignored")
