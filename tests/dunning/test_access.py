"""Who may use the product, and why not: every reason, and the traps where money and status disagree."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from dunning.access import Access, Level, Reason, access_of
from dunning.account import Account
from dunning.case import settle
from dunning.events import CustomerFact
from tests.dunning.builders import (
    INVOICE,
    POLICY,
    SUBSCRIPTION,
    account,
    customer,
    day,
    failures,
    paid,
    planned,
    subscription,
    voided,
    warning,
    written_off,
)

Facts = list[CustomerFact]


def access(known: Account, now: float = 1) -> Access:
    return planned(known, now).access


def taken(known: Account, at: float = 14, level: str = "revoked") -> Account:
    """The account after its first case's access was taken."""
    case = replace(known.cases[INVOICE], taken_at=day(at), taken_level=level)
    return replace(known, cases={**known.cases, INVOICE: case})


def after(known: Account, *facts: CustomerFact | Facts) -> Account:
    """What further facts make of an account that remembers what was taken."""
    told = account(*facts)
    merged = replace(
        known,
        subscriptions={**known.subscriptions, **told.subscriptions},
        invoices={**known.invoices, **told.invoices},
    )
    return settle(merged, POLICY)


@pytest.mark.parametrize(
    ("status", "fields", "level", "reason"),
    [
        ("active", {}, Level.FULL, Reason.GOOD_STANDING),
        ("trialing", {}, Level.FULL, Reason.TRIAL),
        ("past_due", {}, Level.WARNED, Reason.PAST_DUE),
        ("unpaid", {}, Level.REVOKED, Reason.UNPAID),
        ("canceled", {}, Level.REVOKED, Reason.CANCELED),
        ("canceled", {"ended_for": "cancellation_requested"}, Level.REVOKED, Reason.CANCELED),
        ("canceled", {"ended_for": "payment_failed"}, Level.REVOKED, Reason.CANCELED_FOR_NONPAYMENT),
        ("paused", {}, Level.REVOKED, Reason.PAUSED),
        ("paused", {"paused_for": "pause_requested"}, Level.REVOKED, Reason.PAUSED),
        ("paused", {"paused_for": "first_payment_failure"}, Level.REVOKED, Reason.PAUSED_FOR_NONPAYMENT),
        ("paused", {"paused_for": "final_payment_failure"}, Level.REVOKED, Reason.PAUSED_FOR_NONPAYMENT),
        ("incomplete", {}, Level.REVOKED, Reason.FIRST_PAYMENT_INCOMPLETE),
        ("incomplete_expired", {}, Level.REVOKED, Reason.FIRST_PAYMENT_INCOMPLETE),
        ("hibernating", {}, Level.FULL, Reason.UNKNOWN_STATUS),
    ],
)
def test_every_status_has_its_level(
    status: str, fields: dict[str, str], level: Level, reason: Reason
) -> None:
    """Stripe's statuses, and one that nobody knows yet, which locks nobody out."""
    seen = subscription(0, status, paused_for=fields.get("paused_for"), ended_for=fields.get("ended_for"))
    assert access(account(seen)) == Access(level, reason, None, SUBSCRIPTION)


def test_a_first_payment_gives_access_before_the_subscription_says_so() -> None:
    """Stripe tells of both by events of their own, which may come hours apart; no later end is overlooked."""
    first = paid(0, billing_reason="subscription_create")
    assert access(account(subscription(0, "incomplete"), first)).reason is Reason.GOOD_STANDING
    expired = account(subscription(0, "incomplete"), first, subscription(1, "incomplete_expired"))
    assert access(expired).level is Level.REVOKED


def test_nobody_has_access_for_nothing() -> None:
    """A customer without a subscription."""
    assert access(account(customer())) == Access(Level.REVOKED, Reason.NO_SUBSCRIPTION)


def test_a_deleted_customer_has_none() -> None:
    """Even if their subscription's end is still on its way."""
    known = account(subscription(0, "active"), customer(1, deleted=True))
    assert access(known) == Access(Level.REVOKED, Reason.CUSTOMER_DELETED)


@pytest.mark.parametrize("status", ["past_due", "active"])
def test_class_12_access_is_kept_after_a_failure(status: str) -> None:
    """Full access with a banner, to the end of grace; Stripe's status may lag behind the failure."""
    known = account(failures(0), subscription(0.1, status))
    assert access(known) == Access(Level.WARNED, Reason.PAYMENT_FAILED, day(14), SUBSCRIPTION)


def test_the_banner_names_the_promised_end() -> None:
    """Warned late, the end is 72 hours after the warning, not the end of grace."""
    found = planned(account(failures(0)), 16, warning(15)).access
    assert (found.level, found.until) == (Level.WARNED, day(18))


def test_a_planned_cancellation_keeps_access_to_the_end_of_the_period() -> None:
    """It was paid for."""
    known = account(subscription(0, "active", cancel_at_period_end=True, period_end=day(20)))
    assert access(known) == Access(Level.FULL, Reason.CANCELS_AT_PERIOD_END, day(20), SUBSCRIPTION)


@pytest.mark.parametrize(("period_end", "until"), [(30, 14), (10, 10)])
def test_a_failing_subscription_that_cancels_lasts_no_longer_than_its_period(
    period_end: int, until: int
) -> None:
    """Nor than grace: the period it is in is the one that nobody has paid for."""
    ends = subscription(1, "past_due", cancel_at_period_end=True, period_end=day(period_end))
    assert access(account(failures(0), ends)).until == day(until)


def test_class_20_the_best_of_several_subscriptions_counts() -> None:
    """One that failed locks nobody out of another."""
    other = subscription(0, "active", ref="sub_2")
    for bad in (subscription(1, "unpaid"), subscription(1, "canceled"), *failures(1)[-1:]):
        assert access(account(other, bad)) == Access(Level.FULL, Reason.GOOD_STANDING, None, "sub_2")


def test_of_two_equal_subscriptions_the_newer_gives_the_reason() -> None:
    """Among several that ended, the last one explains."""
    known = account(subscription(1, "canceled"), subscription(2, "unpaid", ref="sub_2"))
    assert access(known).reason is Reason.UNPAID


@pytest.mark.parametrize("level", ["limited", "revoked"])
def test_what_grace_took_stays_taken(level: str) -> None:
    """Until somebody pays."""
    assert access(taken(account(failures(0)), level=level), 15) == Access(
        Level(level), Reason.GRACE_EXPIRED, None, SUBSCRIPTION
    )


def test_class_16_a_payment_gives_back_what_was_taken() -> None:
    """Paid and locked out is the costliest bug."""
    known = after(taken(account(failures(0))), failures(0), paid(16), subscription(16, "active"))
    assert access(known, 16) == Access(Level.FULL, Reason.GOOD_STANDING, None, SUBSCRIPTION)


def test_class_16_a_payment_gives_back_before_stripe_says_active() -> None:
    """The payment's event may be the first to arrive."""
    known = after(taken(account(failures(0))), failures(0), paid(16))
    assert access(known, 16).level is Level.WARNED


def test_class_17_a_write_off_gives_nothing_back() -> None:
    """Stripe says active, nobody paid."""
    known = after(taken(account(failures(0))), failures(0), written_off(16), subscription(16, "active"))
    assert access(known, 16) == Access(Level.REVOKED, Reason.WRITTEN_OFF, None, SUBSCRIPTION)


@pytest.mark.parametrize("closing", [voided(16), paid(16, amount=0)], ids=["void", "credit"])
def test_class_17_neither_does_a_void_or_a_credit(closing: CustomerFact) -> None:
    """Only money does."""
    known = after(taken(account(failures(0))), failures(0), closing, subscription(16, "active"))
    assert access(known, 16).level is Level.REVOKED


def test_money_for_the_next_invoice_gives_back_what_a_written_off_one_took() -> None:
    """The customer pays again."""
    known = after(
        taken(account(failures(0))),
        failures(0),
        written_off(16),
        subscription(30, "active"),
        paid(30, ref="in_2"),
    )
    assert access(known, 30) == Access(Level.FULL, Reason.GOOD_STANDING, None, SUBSCRIPTION)


def test_money_for_an_older_invoice_gives_nothing_back() -> None:
    """Stripe keeps the subscription past due: the newest invoice is still unpaid."""
    older = failures(-7, ref="in_0")
    known = after(taken(account(older, failures(0))), older, failures(0), paid(16, ref="in_0"))
    assert access(known, 16).level is Level.REVOKED


@pytest.mark.parametrize(("status", "paused_for"), [("unpaid", None), ("paused", "final_payment_failure")])
def test_class_17_active_again_without_money_after_stripe_stopped_it(
    status: str, paused_for: str | None
) -> None:
    """The write-off trap, where Stripe itself had taken access."""
    stopped: Facts = [*failures(0), subscription(21, status, paused_for=paused_for)]
    freed: Facts = [written_off(25), subscription(25, "active")]
    assert access(account(stopped, freed), 26) == Access(
        Level.REVOKED, Reason.WRITTEN_OFF, None, SUBSCRIPTION
    )
    assert access(account(stopped, freed, paid(30, ref="in_2")), 30).level is Level.FULL


def test_an_active_subscription_that_was_never_stopped_is_free_of_the_trap() -> None:
    """A write-off within grace took nothing, so there is nothing to give back."""
    assert access(account(failures(0), written_off(3), subscription(3, "active"))).level is Level.FULL


@pytest.mark.parametrize("deadline", [day(14), day(20)])
def test_the_earliest_deadline_of_a_subscription_counts(deadline: datetime) -> None:
    """Two unpaid invoices: the banner names the first end."""
    known = account(failures(0), failures(7, ref="in_2"))
    found = access_of(known, {INVOICE: deadline, "in_2": day(21)})
    assert found.until == deadline
