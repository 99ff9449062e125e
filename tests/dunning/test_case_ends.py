"""How a case ends, whatever order it is told in, and what does not end it."""

from __future__ import annotations

from datetime import datetime

from dunning.account import Account, Outcome
from dunning.case import settle
from dunning.events import CustomerFact
from dunning.fold import fold
from dunning.policy import Policy
from tests.dunning.builders import (
    INVOICE,
    POLICY,
    account,
    customer,
    day,
    failures,
    paid,
    subscription,
    the_case,
    voided,
    written_off,
)

Facts = list[CustomerFact]


def later(known: Account, *facts: CustomerFact, policy: Policy = POLICY) -> Account:
    """The account after these further facts."""
    return settle(fold(known, *facts), policy)


def end_of(*facts: CustomerFact | Facts) -> tuple[Outcome | None, datetime | None]:
    """How and when the case ended, told at once and told fact by fact."""
    at_once = account(*facts)
    one_by_one = account()
    for fact in facts:
        for each in fact if isinstance(fact, list) else [fact]:
            one_by_one = later(one_by_one, each)
    assert one_by_one == at_once
    return the_case(at_once).outcome, the_case(at_once).closed_at


def test_a_payment_recovers() -> None:
    """The plain story."""
    assert end_of(failures(0), paid(3), subscription(3, "active")) == (Outcome.RECOVERED, day(3))


def test_class_5_a_failure_that_arrives_after_the_payment_opens_and_closes() -> None:
    """Paid before failed, as it may arrive: the case never lives."""
    assert end_of(paid(3), subscription(3, "active"), failures(0)) == (Outcome.RECOVERED, day(3))


def test_class_21_a_late_failure_does_not_reopen() -> None:
    """Neither does a stale invoice or a stale subscription."""
    end = end_of(failures(0), paid(3), subscription(3, "active"), failures(0, 1, 2), subscription(2))
    assert end == (Outcome.RECOVERED, day(3))


def test_class_17_a_credit_is_not_a_payment() -> None:
    """An invoice of nothing, or one settled by a credit, closes the case as what it is."""
    assert end_of(failures(0), paid(3, amount=0)) == (Outcome.CREDITED, day(3))


def test_class_15_a_void_invoice_is_not_dunned() -> None:
    """Nothing is owed any more."""
    assert end_of(failures(0), voided(3)) == (Outcome.VOIDED, day(3))


def test_class_17_a_write_off_is_not_a_payment() -> None:
    """Stripe makes the subscription active, yet nobody paid."""
    assert end_of(failures(0), written_off(3), subscription(3, "active")) == (Outcome.WRITTEN_OFF, day(3))


def test_a_written_off_invoice_can_still_be_paid() -> None:
    """Money is money, however late (class 38)."""
    assert end_of(failures(0), written_off(3), paid(9)) == (Outcome.RECOVERED, day(9))


def test_class_15_an_ended_subscription_ends_its_case() -> None:
    """At the time Stripe gives for it."""
    end = end_of(failures(0), subscription(8, "canceled", ended_at=day(7), ended_for="payment_failed"))
    assert end == (Outcome.ENDED, day(7))


def test_a_deleted_customer_ends_every_case() -> None:
    """There is nobody left to write to."""
    assert end_of(failures(0), customer(4, deleted=True)) == (Outcome.ENDED, day(4))


def test_class_19_paid_after_the_end() -> None:
    """Money for a subscription that is gone restores nothing by itself."""
    end = end_of(failures(0), subscription(7, "canceled", ended_at=day(7)), paid(9))
    assert end == (Outcome.PAID_AFTER_END, day(9))


def test_paid_before_the_end_is_a_recovery() -> None:
    """Somebody may pay, and cancel afterwards."""
    end = end_of(failures(0), paid(3), subscription(7, "canceled", ended_at=day(7)))
    assert end == (Outcome.RECOVERED, day(3))


def test_a_later_invoice_that_is_paid_recovers_the_older_case() -> None:
    """Stripe revives a subscription by its latest invoice; the older one may stay open for ever."""
    end = end_of(failures(0), paid(30, ref="in_2"), subscription(30, "active"))
    assert end == (Outcome.RECOVERED, day(30))


def test_class_20_money_for_an_older_invoice_does_not_recover_the_newer_case() -> None:
    """Only the latest invoice decides: the subscription is still past due."""
    known = account(failures(0, ref="in_0"), failures(7), paid(8, ref="in_0"), subscription(8, "past_due"))
    assert the_case(known).is_open
    assert not the_case(known, "in_0").is_open


def test_class_17_an_older_payment_and_a_later_write_off_are_no_recovery() -> None:
    """The newest invoice is written off, the middle one is still unpaid: good standing came without money."""
    known = account(
        failures(0, ref="in_0"),
        failures(7),
        failures(14, ref="in_2"),
        paid(15, ref="in_0"),
        written_off(16, ref="in_2"),
        subscription(16, "active"),
    )
    assert the_case(known).is_open


def test_class_12_a_recovered_case_does_not_come_back_with_the_next_failure() -> None:
    """Its old deadline would take access on the first failure of another invoice."""
    revived = [*failures(0), paid(30, ref="in_2"), subscription(30, "active")]
    known = account(revived, failures(60, ref="in_3"))
    assert the_case(known).outcome is Outcome.RECOVERED
    assert [case.invoice for case in known.open_cases()] == ["in_3"]


def test_a_recovered_case_keeps_its_end() -> None:
    """The payments of later months do not move it."""
    end = end_of(
        failures(0),
        paid(30, ref="in_2"),
        subscription(30, "active"),
        paid(60, ref="in_3"),
        subscription(60, "active"),
    )
    assert end == (Outcome.RECOVERED, day(30))


def test_what_closed_a_case_once_need_not_be_remembered() -> None:
    """An account that is loaded without the invoice that revived it keeps the case closed."""
    known = account(failures(0), paid(30, ref="in_2"), subscription(30, "active"))
    forgetful = Account(
        source=known.source,
        customer=known.customer,
        subscriptions=known.subscriptions,
        invoices={INVOICE: known.invoices[INVOICE]},
        charges=known.charges,
        cases=known.cases,
    )
    assert settle(forgetful, POLICY).cases == known.cases
