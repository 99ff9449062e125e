"""Whose access is kept, how much of it is taken, and what follows once it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.access import Level, Reason
from dunning.account import Account
from dunning.events import CustomerFact
from dunning.plan import access_step_level
from dunning.policy import Policy
from dunning.steps import Effect, Kind, Step
from tests.dunning.builders import (
    INVOICE,
    POLICY,
    account,
    customer,
    day,
    effect,
    failures,
    keys,
    notice_sent,
    planned,
    policy,
    step,
    subscription,
    warning,
    why,
)

Facts = list[CustomerFact]
FIRST, LAST = "final_warning:in_1:72h", "final_warning:in_1:24h"
REVOKE, UNWARNED = "access:in_1:revoked", "escalation:in_1:unwarned"
TOLD = notice_sent(0)


def due(known: Account, now: float, *done: Effect, policy: Policy = POLICY) -> list[str]:
    """The keys of what is due on a day."""
    found = planned(known, now, *done, policy=policy)
    return [each.key for each in found.due(day(now))]


@pytest.mark.parametrize(
    ("facts", "excuse"),
    [
        (
            [*failures(0), subscription(1, "past_due", cancel_at_period_end=True)],
            "the customer has cancelled: access lasts to the end of the period",
        ),
        (
            [*failures(0), subscription(1, "active", ref="sub_2")],
            "the customer has another subscription that entitles them",
        ),
        (failures(0, code="testmode_decline"), "the fault is on our side"),
    ],
    ids=["cancelled", "class_24_replaced", "our fault"],
)
def test_who_is_excused_is_neither_warned_nor_revoked(facts: Facts, excuse: str) -> None:
    """Not even long after grace, and not when a warning went out before the excuse."""
    for done in ([TOLD], [TOLD, warning(11), warning(13, 24)]):
        found = planned(account(facts), 40, *done)
        assert not [each for each in found.steps if each.name in ("final_warning", "revoked")]
        assert why(found, REVOKE) == excuse


def test_no_end_is_promised_where_nobody_takes_access() -> None:
    """The banner names no date for a fault of our own, which ends nothing."""
    told = planned(account(failures(0, code="testmode_decline")), 3).access
    assert (told.level, told.reason, told.until) == (Level.WARNED, Reason.PAYMENT_FAILED, None)


def test_access_may_be_limited_instead() -> None:
    """The policy says how hard the end is."""
    milder = policy(at_expiry="limited")
    found = step(
        planned(account(failures(0), policy=milder), 14, TOLD, warning(11), policy=milder),
        "access:in_1:limited",
    )
    assert found is not None
    assert access_step_level(found) == "limited"


def test_only_an_access_step_leads_to_a_level() -> None:
    """Anything else is a caller's mistake."""
    with pytest.raises(ValueError, match="payment_failed"):
        access_step_level(Step(Kind.MAIL, "key", "payment_failed", INVOICE, day(0), "reason"))


def test_class_12_a_first_payment_takes_nothing() -> None:
    """Nothing was granted yet: there is nothing to warn of, nobody to call, and nothing to take."""
    incomplete = subscription(0, "incomplete")
    known = account(failures(0, 0.1, 0.2, billing_reason="subscription_create"), incomplete)
    for at in (0, 1, 11, 14, 40):
        found = planned(known, at, notice_sent(0), warning(11), warning(13, 24))
        assert not [each for each in found.steps if each.name != "first_payment"]


def taken(known: Account, at: float = 14, ref: str = INVOICE) -> Account:
    case = replace(known.cases[ref], taken_at=day(at), taken_level="revoked")
    return replace(known, cases={**known.cases, ref: case})


def test_what_is_taken_is_not_taken_twice() -> None:
    """Nor warned of any more."""
    found = planned(taken(account(failures(0))), 20, TOLD, warning(11))
    assert keys(found) == ["access_ended:in_1"]


@pytest.mark.parametrize(
    "stopped",
    [
        subscription(5, "unpaid"),
        subscription(5, "paused", paused_for="final_payment_failure"),
        subscription(5, "canceled", ended_for="payment_failed"),
        customer(5, deleted=True),
    ],
)
def test_where_stripe_has_stopped_nobody_is_warned(stopped: CustomerFact) -> None:
    """There is nothing left to lose."""
    found = planned(account(failures(0), stopped), 30, TOLD)
    assert not [each for each in found.steps if each.name in ("final_warning", "revoked", "payment_failed")]


def test_class_20_a_newer_case_does_not_warn_of_what_the_older_has_taken() -> None:
    """Stripe goes on billing a past due subscription: "access ends in 72 hours" would be absurd by then."""
    known = taken(account(failures(0), failures(7, ref="in_2")))
    found = planned(known, 25, TOLD, warning(11), effect("access_ended:in_1", 14))
    assert not [each for each in found.steps if each.case == "in_2"]


def test_class_20_a_case_of_another_subscription_is_warned_of() -> None:
    """It gives access of its own."""
    known = taken(account(failures(0), failures(7, ref="in_2", of="sub_2")))
    found = planned(known, 18, TOLD, warning(11), effect("access_ended:in_1", 14))
    assert "final_warning:in_2:72h" in keys(found)


def test_a_holiday_is_a_holiday_around_the_clock() -> None:
    """Hours that never close do on days on which nobody works: no mail, no revocation."""
    closed = policy(holidays=frozenset({day(0).date(), day(14).date()}))
    known = account(failures(0, code="do_not_honor"), policy=closed)
    first = step(planned(known, 0, policy=closed), "payment_failed:in_1:1")
    assert first is not None
    assert first.due_at == day(1) - timedelta(hours=9)
    revoke = step(planned(known, 14, TOLD, warning(11), policy=closed), REVOKE)
    assert revoke is not None
    assert revoke.due_at == day(15) - timedelta(hours=9)
