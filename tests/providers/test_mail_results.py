"""What three mail services say, in one language; whatever they send, nobody raises but as was agreed."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.results import MailResult, Result
from emails.reference import REFERENCE_HEADER, reference
from emails.services import headers, templates
from providers.lookup import MalformedEventError
from providers.mail import postmark, resend, ses
from providers.mail.fields import REFERENCE_HEADER as AS_THEY_SEND_IT
from providers.mail.fields import mark
from tests.dunning.strategies import examples
from tests.providers import mail_bodies as bodies
from tests.providers.mail_bodies import ADA, MARK

AT = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)


def only(results: list[MailResult]) -> MailResult:
    (result,) = results
    return result


def from_ses(message: str) -> list[MailResult]:
    return ses.normalise({"Message": message})


@pytest.mark.parametrize(
    ("event", "result"),
    [
        (bodies.resend(), Result.HARD_BOUNCE),
        (bodies.resend(bounce={"type": "Transient", "subType": "MailboxFull"}), Result.SOFT_BOUNCE),
        (bodies.resend("email.suppressed"), Result.HARD_BOUNCE),
        (bodies.resend("email.complained"), Result.COMPLAINT),
        (bodies.resend("email.delivered"), Result.DELIVERED),
        (bodies.resend("email.delivery_delayed"), Result.DELAYED),
        (bodies.resend("email.failed", failed={"reason": "reached_daily_quota"}), Result.UNDELIVERED),
    ],
    ids=lambda value: value if isinstance(value, Result) else "",
)
def test_resend(event: dict[str, Any], result: Result) -> None:
    """Each type, with our mark from the headers that it gives back."""
    found = only(resend.normalise(event))
    assert (found.kind, found.reference, found.address) == (result, MARK, ADA)
    assert found.at.replace(microsecond=0) == AT


@pytest.mark.parametrize(
    ("event", "result"),
    [
        (bodies.postmark(), Result.HARD_BOUNCE),
        (bodies.postmark("BadEmailAddress"), Result.HARD_BOUNCE),
        (bodies.postmark("ManuallyDeactivated"), Result.HARD_BOUNCE),
        (bodies.postmark("Unsubscribe"), Result.COMPLAINT),
        (bodies.postmark("SpamComplaint", RecordType="SpamComplaint"), Result.COMPLAINT),
        (bodies.postmark("SoftBounce"), Result.SOFT_BOUNCE),
        (bodies.postmark("Transient"), Result.SOFT_BOUNCE),
        (bodies.postmark("SomethingNew"), Result.SOFT_BOUNCE),
        (bodies.postmark("Blocked"), Result.UNDELIVERED),
        (bodies.postmark("AutoResponder"), Result.DELIVERED),
        (
            bodies.postmark(RecordType="Delivery", DeliveredAt="2026-03-02T09:05:00Z", Recipient=ADA),
            Result.DELIVERED,
        ),
    ],
    ids=lambda value: value if isinstance(value, Result) else "",
)
def test_postmark(event: dict[str, Any], result: Result) -> None:
    """Each type; one that nobody has heard of condemns no address."""
    found = only(postmark.normalise(event))
    assert (found.kind, found.reference, found.address) == (result, MARK, ADA)
    assert found.at.replace(microsecond=0) == AT


@pytest.mark.parametrize(
    ("message", "result"),
    [
        (bodies.ses(), Result.HARD_BOUNCE),
        (bodies.ses(name="notificationType"), Result.HARD_BOUNCE),
        (bodies.ses(bounceSubType="OnAccountSuppressionList"), Result.HARD_BOUNCE),
        (bodies.ses(bounceType="Transient", bounceSubType="MailboxFull"), Result.SOFT_BOUNCE),
        (bodies.ses(bounceType="Undetermined"), Result.SOFT_BOUNCE),
        (bodies.ses("Complaint"), Result.COMPLAINT),
        (bodies.ses("Delivery"), Result.DELIVERED),
        (bodies.ses("DeliveryDelay"), Result.DELAYED),
    ],
)
def test_ses(message: str, result: Result) -> None:
    """Under both names of the type, with our mark from the tags."""
    found = only(from_ses(message))
    assert (found.kind, found.reference, found.address, found.at) == (result, MARK, ADA, AT)


def test_ses_did_not_send_it() -> None:
    """A rejection has no time of its own."""
    found = only(from_ses(bodies.ses("Reject")))
    assert (found.kind, found.details) == (Result.UNDELIVERED, "Reject: Bad content")


def test_what_says_nothing_of_our_mails() -> None:
    """Other types, other mails of the merchant, and somebody who says that it is no spam after all."""
    assert resend.normalise(bodies.resend("email.opened")) == []
    assert resend.normalise(bodies.resend(headers=[{"name": "X-Other", "value": MARK}])) == []
    assert postmark.normalise(bodies.postmark(Metadata={"user_id": 43})) == []
    assert postmark.normalise(bodies.postmark(RecordType="Open")) == []
    assert from_ses(bodies.ses(mail={"tags": {"ses:source-ip": ["127.0.0.1"]}})) == []
    assert from_ses(bodies.ses("Complaint", complaintFeedbackType="not-spam")) == []


def test_without_a_mark_the_address_is_left() -> None:
    """Where a service gives back neither headers nor tags, there is no telling by the mail."""
    assert only(from_ses(bodies.ses(mail={}))).reference is None
    bare = bodies.resend()
    del bare["data"]["headers"]
    assert (only(resend.normalise(bare)).reference, only(resend.normalise(bare)).address) == (None, ADA)
    bare["data"]["tags"] = {"dunning": MARK}
    assert only(resend.normalise(bare)).reference == MARK


def test_a_result_without_a_time_cannot_be_placed() -> None:
    """It is retired, not guessed."""
    for event in ({}, {"created_at": "yesterday"}, {"created_at": "2026-03-02T09:05:00"}):
        with pytest.raises(MalformedEventError):
            resend.normalise({"type": "email.delivered", "data": {"to": [ADA]}, **event})
    for inside in ("{", "[" * 100_000):
        with pytest.raises(MalformedEventError):
            ses.normalise({"Message": inside})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@examples(150)
@given(places=st.lists(st.tuples(st.integers(0, 30), json_values), min_size=1, max_size=3))
def test_nothing_that_is_signed_breaks_a_reader(places: list[tuple[int, Any]]) -> None:
    """Any part replaced by anything."""
    for event, normalise in (
        (bodies.resend(), resend.normalise),
        (bodies.postmark(), postmark.normalise),
        (json.loads(bodies.ses()), lambda changed: from_ses(json.dumps(changed))),
        (json.loads(bodies.ses("Delivery")), lambda changed: from_ses(json.dumps(changed))),
    ):
        for place, value in places:
            _replace(event, place, value)
        with suppress(MalformedEventError):
            assert all(isinstance(each, MailResult) for each in normalise(event))


def _replace(event: Any, place: int, value: Any) -> None:
    spots = [(event, key) for key in event]
    for holder, key in spots:
        inner = holder[key]
        if isinstance(inner, dict | list):
            spots += [(inner, each) for each in (inner if isinstance(inner, dict) else range(len(inner)))]
    holder, key = spots[place % len(spots)]
    holder[key] = deepcopy(value)


def test_every_service_gives_our_mark_back() -> None:
    """What we write into a mail is what is looked for in what comes back."""
    key = "payment_failed:in_1:1"
    assert mark(reference(key)) == reference(key)
    assert REFERENCE_HEADER.lower() == AS_THEY_SEND_IT
    assert headers(templates("resend"), key) == {"Resend-Idempotency-Key": reference(key)}
    assert headers(templates("postmark"), key) == {"X-PM-Metadata-dunning": reference(key)}
    assert headers(templates("ses"), key) == {"X-SES-MESSAGE-TAGS": f"dunning={reference(key)}"}
    more = templates("postmark", [("X-PM-Message-Stream", "outbound")])
    assert headers(more, key)["X-PM-Message-Stream"] == "outbound"
    assert headers(templates(None), key) == {}
