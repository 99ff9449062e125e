"""A first payment that is not complete: hours, not days, and nothing is taken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dunning.access import Level
from dunning.events import CustomerFact
from dunning.instructions import Instruction, Verb
from dunning.steps import Effect, Kind
from tests.dunning.builders import (
    SECOND,
    account,
    charge,
    day,
    effect,
    failed,
    invoice,
    ledger,
    paid,
    planned,
    subscription,
    why,
)
from tests.dunning.more_builders import after, policy, said

HOURS = {1: timedelta(minutes=15), 2: timedelta(hours=4), 3: timedelta(hours=18)}
HELD = timedelta(hours=23)
RULES = policy(most_reminders=1, unresolved_after="7d", high_value={"usd": 1}, limited_after="10d")


def first(code: str = "expired_card", status: str = "incomplete") -> list[CustomerFact]:
    return [
        invoice(0, attempt_count=1, billing_reason="subscription_create"),
        failed(0),
        charge(0, code),
        ledger(),
        subscription(0, status),
    ]


def key(number: int) -> str:
    return f"first_payment:in_1:{number}"


@pytest.mark.parametrize(
    "code", ["expired_card", "insufficient_funds", "authentication_required", "processing_error", "unheard"]
)
def test_three_mails_and_nothing_else(code: str) -> None:
    """A quarter of an hour, four hours, eighteen hours: no warning, no call, no end, whatever it is worth."""
    found = planned(account(first(code), policy=RULES), 0, policy=RULES)
    assert [(each.key, each.due_at - day(0)) for each in found.steps] == [
        (key(number), wait) for number, wait in HOURS.items()
    ]
    assert found.withheld == ()
    assert found.access.level is Level.REVOKED


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_a_mail_is_due_to_the_second(number: int, seconds: int) -> None:
    """And only the newest of those that are."""
    now = day(0) + HOURS[number] + seconds * SECOND
    due = [each.key for each in planned(account(first()), now).due(now)]
    newest = number if seconds >= 0 else number - 1
    assert due == ([key(newest)] if newest else [])


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_it_stops_when_the_provider_gives_it_up(seconds: int) -> None:
    """Twenty-three hours after the first failure."""
    found = planned(account(first()), day(0) + HELD + seconds * SECOND)
    assert bool(found.steps) is (seconds < 0)
    if seconds >= 0:
        assert why(found, key(3)) == "the provider does not hold it open any more"


@pytest.mark.parametrize(
    ("waits", "count"), [(["15min"], 1), (["22h", "23h"], 1), (["1379min", "1380min"], 1), ([], 0)]
)
def test_a_policy_cannot_mail_after_that(waits: list[str], count: int) -> None:
    """A rung behind the end is none."""
    rules = policy(first_payment_mails=waits)
    assert len(planned(account(first(), policy=rules), 0, policy=rules).steps) == count


STOP = "Ada stopped it: because"
OTHER = "the customer has another subscription that entitles them"
NOTHING = "the customer can do nothing about this kind of failure"


@pytest.mark.parametrize(
    ("facts", "told", "reason"),
    [
        (first("fraudulent"), [], NOTHING),
        (first("testmode_decline"), [], NOTHING),
        (first(status="incomplete_expired"), [], None),
        (first(status="active"), [], "the subscription is active"),
        ([*first(), subscription(0, "active", ref="sub_2")], [], OTHER),
        (first(), [said(Verb.STOP, 0.001)], STOP),
    ],
)
def test_when_nothing_is_told(facts: list[CustomerFact], told: list[Instruction], reason: str | None) -> None:
    """And why."""
    found = planned(after(account(facts), *told), 0.005)
    assert found.steps == ()
    assert why(found, key(1)) == reason


def test_classes_6_and_12_a_paid_first_invoice_ends_it() -> None:
    """Nothing was taken, so nothing is given back, and no more is said."""
    known = account(first(), paid(0.1, billing_reason="subscription_create"), subscription(0.1, "active"))
    assert planned(known, 0.2, effect(key(1), 0.02)).steps == ()
    assert planned(known, 0.2).access.level is Level.FULL


def test_a_mail_that_was_sent_is_not_sent_again() -> None:
    """Whatever became of it."""
    for status in ("pending", "sent", "failed", "unknown", "suppressed"):
        done: Effect = effect(key(1), 0.02, status, kind=Kind.MAIL)
        assert [each.key for each in planned(account(first()), 0.05, done).steps] == [key(2), key(3)]
