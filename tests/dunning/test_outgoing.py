"""What the merchant's application is told of a journal entry, and what not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from dunning.outgoing import About, EventType, News, body, news_of, trial_body

AT = datetime(2026, 3, 1, 10, 30, tzinfo=timezone(timedelta(hours=1)))


def told(kind: str, reason: str | None = None, **data: Any) -> dict[str, dict[str, Any]]:
    return {news.type.value: news.particulars for news in news_of(kind, reason, data)}


def test_a_change_of_access_says_what_holds_now() -> None:
    """Level, reason and until when; and for whoever only wants one bit, whether they may come in."""
    data = {"from": "full", "to": "warned", "until": "2026-03-15T09:00:00+00:00", "subscription": "sub_1"}
    assert told("access.changed", "payment_failed", **data) == {
        "access.changed": {
            "access": True,
            "level": "warned",
            "previous_level": "full",
            "reason": "payment_failed",
            "until": "2026-03-15T09:00:00Z",
        }
    }
    revoked = told("access.changed", "grace_expired", **{"from": "limited"}, to="revoked", until=None)
    assert revoked["access.changed"]["access"] is False
    assert revoked["access.changed"]["until"] is None


@pytest.mark.parametrize("kind", ["case.opened", "case.reopened"])
def test_a_case_that_is_open_again_is_told_as_opened(kind: str) -> None:
    """Or a receiver that has heard of its end would believe that all is well."""
    data = {"cause": "renewal", "grace_ends_at": "2026-03-15T10:00:00+01:00"}
    assert told(kind, "words for people", **data) == {
        "case.opened": {
            "cause": "renewal",
            "reopened": kind == "case.reopened",
            "grace_ends_at": "2026-03-15T09:00:00Z",
        }
    }


def test_a_first_payment_has_no_grace() -> None:
    """Nothing was granted yet."""
    said = told("case.opened", cause="first_payment", grace_ends_at="2026-03-15T10:00:00+00:00")
    assert said["case.opened"]["grace_ends_at"] is None


def test_a_payment_is_told_as_recovered_and_as_closed() -> None:
    """Any other end as closed alone."""
    assert list(told("case.closed", "recovered")) == ["case.recovered", "case.closed"]
    for outcome in ("forgiven", "credited", "voided", "written_off", "ended", "paid_after_end"):
        assert told("case.closed", outcome) == {"case.closed": {"outcome": outcome}}


@pytest.mark.parametrize(
    ("name", "alarm"),
    [
        ("attempts", "attempts"),
        ("promise_broken:2026-03-10", "promise_broken"),
        ("reminder:2", "reminder"),
        ("fraud", "declined"),
        ("consent_withdrawn", "declined"),
        ("merchant_side", "declined"),
    ],
)
def test_a_call_to_the_team_does_not_say_what_the_bank_said(name: str, alarm: str) -> None:
    """An application may show what it is told."""
    assert told("team.called", "the bank calls it fraud", name=name) == {"case.escalated": {"alarm": alarm}}


@pytest.mark.parametrize("reason", ["hard_bounce", "complaint"])
def test_a_bounce_names_the_mail_and_no_address(reason: str) -> None:
    """Who it was sent to, the application knows by the customer."""
    said = told("mail.bounced", reason, step="payment_failed:in_1:1", by="resend")
    assert said == {"mail.bounced": {"bounce": reason, "mail": "payment_failed"}}


@pytest.mark.parametrize("kind", ["event.applied", "mail.sent", "access.taken", "access.kept", "link.made"])
def test_all_else_is_our_own_affair(kind: str) -> None:
    assert news_of(kind, "words", {"step": "x"}) == ()


def test_the_body_is_in_the_form_of_the_specification() -> None:
    """Type, time and data, in UTC, without a space to argue about."""
    about = About("stripe", "cus_1", 7, AT, "in_1", "sub_1")
    text = body(about, News(EventType.CASE_RECOVERED))
    assert text == (
        '{"type":"case.recovered","timestamp":"2026-03-01T09:30:00Z","data":{"source":"stripe",'
        '"customer":"cus_1","sequence":7,"case":"in_1","subscription":"sub_1"}}'
    )
    assert json.loads(trial_body(AT.astimezone(UTC)))["type"] == "webhooks.test"
