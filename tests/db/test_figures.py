"""What failed and what was recovered, read from real tables that real facts were folded into."""

from __future__ import annotations

from typing import Any

import pytest

from console.figures import Figures
from console.figures.period import period
from console.figures.shown import lines, total
from console.figures.tally import Dimension, Range, Tally
from dunning.events import AsOf, CustomerFact, CustomerSeen, SubscriptionSeen
from dunning.instructions import THE_CUSTOMER, Verb
from tests.db.conftest import Database
from tests.db.told import BERLIN, NOW, Told, Written, failed_on, figures_of, stored
from tests.dunning.builders import (
    CUSTOMER,
    day,
    invoice,
    method,
    paid,
    subscription,
    voided,
    written_off,
)
from tests.dunning.more_builders import said


def ended(at: float, **fields: Any) -> SubscriptionSeen:
    """The subscription, ended on a day."""
    return subscription(at, "canceled", ended_at=day(at), **fields)


def counts(figures: Figures, dimension: Dimension) -> dict[str, tuple[int, int, int, int]]:
    """Cases, recovered, open and lost of each group that has any."""
    return {
        line.key: (line.counts.cases, line.counts.recovered, line.counts.open, line.counts.lost)
        for line in lines(figures, dimension)
        if line.counts.cases
    }


def causes(figures: Figures) -> dict[str, int]:
    return {key: found[0] for key, found in counts(figures, Dimension.CAUSE).items()}


def dollars(figures: Figures) -> Tally:
    return total(figures).money["usd"]


@pytest.fixture
def spring(database: Database) -> Database:
    """Three renewals failed in March: one is paid, one is lost, one is open; one in February, paid."""
    stored(
        database,
        [failed_on(0, 3), paid(5)],
        [failed_on(1), ended(15, ended_for="payment_failed")],
        [failed_on(10, amount=4900)],
        [failed_on(-5), paid(-4)],
    )
    return database


def test_a_month_says_what_is_known_of_it(spring: Database) -> None:
    """A closed month has one rate, another a range; a month without a failure has none."""
    found = figures_of(spring)
    months = {line.key: line.counts for line in lines(found, Dimension.MONTH)}
    assert counts(found, Dimension.MONTH) == {"2026-02": (1, 1, 0, 0), "2026-03": (3, 1, 1, 1)}
    assert months["2026-02"].rate == Range(1, 1)
    assert months["2026-03"].rate == Range(1 / 3, 2 / 3)
    assert months["2026-04"].rate is None


def test_money_is_added_up(spring: Database) -> None:
    """Failed = recovered + open + not recovered."""
    money = dollars(figures_of(spring))
    assert (money.due, money.paid, money.unpaid, money.dropped) == (10600, 3800, 4900, 1900)


def test_what_is_at_risk_knows_no_period(spring: Database) -> None:
    """Whenever it failed; cases of other months are left out of everything else."""
    april = period("2026-04", None, None, now=NOW, zone=BERLIN)
    found = figures_of(spring, april)
    assert total(found).counts.cases == 0
    assert [(each.currency, each.cases, each.amount) for each in found.at_risk] == [("usd", 1, 4900)]
    assert not found.empty


def test_nothing_is_empty(database: Database) -> None:
    """No case, nothing at risk, nothing ever written down."""
    found = figures_of(database)
    assert (found.empty, found.since) == (True, None)


# what is recovered


def test_what_is_settled_without_money_is_not_recovered(database: Database) -> None:
    """Forgiven, voided, written off, credited, ended, and passed over by a later payment."""
    stored(
        database,
        Told([failed_on(0)], said=[said(Verb.FORGIVE, 2)]),
        [failed_on(0), voided(2)],
        [failed_on(0), written_off(2)],
        [failed_on(0), paid(2, amount=0)],
        [failed_on(0), ended(14)],
        [failed_on(0), paid(31, ref="in_2"), subscription(31, "active")],
    )
    found = figures_of(database)
    assert counts(found, Dimension.OUTCOME) == dict.fromkeys(
        ("forgiven", "voided", "written_off", "credited", "ended", "passed_over"), (1, 0, 0, 1)
    )
    assert (dollars(found).paid, dollars(found).dropped, dollars(found).unpaid) == (0, 6 * 1900, 0)
    assert causes(found) == {}


def test_a_late_payment_is_recovered(database: Database) -> None:
    """After a write-off, and after the end."""
    stored(
        database,
        [failed_on(0), written_off(20), paid(30)],
        [failed_on(0), ended(14), paid(30)],
    )
    found = figures_of(database)
    assert counts(found, Dimension.OUTCOME) == {"recovered": (1, 1, 0, 0), "paid_after_end": (1, 1, 0, 0)}
    assert dollars(found).paid == 3800


def test_a_refund_lowers_the_net(database: Database) -> None:
    """But not the number of cases that were recovered; more than was paid is never given back."""
    stored(
        database,
        [failed_on(0), paid(2), paid(3, amount_refunded=500)],
        [failed_on(0), paid(2), paid(3, amount_refunded=1900), paid(4)],
    )
    money = dollars(figures_of(database))
    assert (money.recovered, money.paid, money.refunded, money.net) == (2, 3800, 2400, 1400)
    assert money.money_rate == Range(1400 / 3800, 1400 / 3800)


def test_a_part_payment_is_money_but_no_recovery(database: Database) -> None:
    """Of an open case and of a voided one; what is due is what was due at first."""
    part = {"amount_paid": 400, "amount_remaining": 1500}
    stored(database, [failed_on(0), invoice(1, **part)], [failed_on(0), invoice(1, **part), voided(2)])
    money = dollars(figures_of(database))
    assert (money.recovered, money.due, money.paid, money.unpaid, money.dropped) == (0, 3800, 800, 1500, 1500)


# who is left out


def test_first_payments_are_counted_apart(database: Database) -> None:
    """They never were revenue."""
    stored(database, [failed_on(0, billing_reason="subscription_create")], [failed_on(0)])
    found = figures_of(database)
    assert (total(found).counts.cases, found.first_payments) == (1, 1)


def test_test_clocks_are_no_business(spring: Database) -> None:
    """Unless they are asked for."""
    stored(spring, [failed_on(0), CustomerSeen(CUSTOMER, AsOf(day(0)), test_clock="clock_1")])
    assert total(figures_of(spring)).counts.cases == 4
    assert total(figures_of(spring, test_clocks=True)).counts.cases == 5


def test_currencies_are_never_added(database: Database) -> None:
    """A column each, and one of them alone where it is asked for."""
    stored(
        database,
        [failed_on(0, currency="usd"), paid(2)],
        [failed_on(0, amount=5000, currency="jpy")],
        [failed_on(0, amount=5000, currency="jpy")],
        [failed_on(0, amount=12345, currency="kwd")],
    )
    found = figures_of(database)
    assert found.currencies == ["jpy", "kwd", "usd"]
    assert {code: tally.due for code, tally in found.total.items()} == {
        "jpy": 10000,
        "kwd": 12345,
        "usd": 1900,
    }
    assert total(found).counts.cases == 4
    assert figures_of(database, currency="JPY").currencies == ["jpy"]


# why, and what it came after


def test_the_reason_is_that_of_the_first_charge(database: Database) -> None:
    """Later ones fail because there were too many; without a charge the payment itself says why."""
    stored(
        database,
        [failed_on(0, code="expired_card"), *[failed_on(3, code="insufficient_funds")]],
        [invoice(), *(fact for fact in failed_on(0) if type(fact).__name__ == "PaymentFailed")],
    )
    assert counts(figures_of(database), Dimension.CATEGORY) == {
        "expired_card": (1, 0, 1, 0),
        "unknown": (1, 0, 1, 0),
    }


def recovered(*journal: Written, facts: tuple[CustomerFact, ...] = ()) -> Told:
    """Paid by hand on day 5, two days after the provider's last attempt; the journal has these entries."""
    return Told([failed_on(0, 3), *facts, paid(5, attempt_count=2)], journal=journal)


NEW_CARD = (4, "event.applied", {"reason": "payment_method.attached", "case": None})
THIN = (4, "event.applied", {"reason": "v1.setup_intent.succeeded", "case": None})
MAILED = (0, "mail.sent", {"step": "payment_failed:in_1:1"})
TEAM_MAILED = (0, "mail.sent", {"step": "escalation:in_1:fraud"})


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        (recovered(MAILED), "mail"),
        (recovered(), "unknown"),
        (recovered(TEAM_MAILED), "unknown"),
        (recovered(MAILED, NEW_CARD), "new_method"),
        (recovered(MAILED, facts=(method(4),)), "new_method"),
        (recovered(MAILED, THIN), "new_method"),
        (recovered((5.01, "retry.sent", {"reason": "paid", "step": "retry:in_1:asked:3f9c"})), "page"),
        (recovered((4, "retry.sent", {"reason": "declined", "step": "retry:in_1:asked:3f9c"})), "unknown"),
        (recovered((5.01, "retry.sent", {"reason": "paid", "step": "retry:in_1:2"})), "own_retry"),
        (recovered((4, "retry.sent", {"reason": "processing", "step": "retry:in_1:2"})), "own_retry"),
        (recovered(MAILED, NEW_CARD, (2, "instruction.extend", {"by": "Ada"})), "person"),
        (recovered(MAILED, (2, "instruction.pause", {"by": "Ada", "case": None})), "person"),
        (recovered(MAILED, (2, "link.made", {"reason": "Ada asked for it"})), "person"),
        (recovered(MAILED, (2, "mail.asked", {"by": "Ada"})), "person"),
        (recovered(MAILED, (2, "instruction.promise", {"by": THE_CUSTOMER})), "mail"),
        (recovered(MAILED, (2, "instruction.extend", {"by": "Ada", "case": "in_other"})), "mail"),
        (recovered(MAILED, (5.5, "instruction.extend", {"by": "Ada"})), "mail"),
        (Told([failed_on(0, 3), paid(5, attempt_count=3)], journal=[MAILED]), "provider_retry"),
    ],
)  # fmt: skip
def test_a_cause_is_read_from_the_journal(database: Database, told: Told, cause: str) -> None:
    """What was heard, done and answered between the failure and the payment."""
    stored(database, told)
    assert causes(figures_of(database)) == {cause: 1}


# who left


def test_subscriptions_end_because_somebody_wants_it_or_because_nobody_pays(database: Database) -> None:
    """One that we cancel at the provider looks like a wish; one that was never paid for never began."""
    stored(
        database,
        [ended(0, ended_for="cancellation_requested")],
        [ended(0, ended_for="payment_failed")],
        [ended(0)],
        [subscription(-1, "unpaid"), ended(0, ended_for="cancellation_requested")],
        Told(
            [failed_on(-20), ended(0, ended_for="cancellation_requested")],
            journal=[(0, "end.sent", {"reason": "cancel"})],
        ),
        Told(
            [failed_on(-20), ended(0, ended_for="cancellation_requested")],
            journal=[(0, "end.sent", {"reason": "void"})],
        ),
        [subscription(0, "incomplete_expired", ended_at=day(0))],
    )
    [(month, why)] = figures_of(database).ended.items()
    assert (f"{month:%Y-%m}", why) == ("2026-03", {"voluntary": 2, "involuntary": 3, "unknown": 1})
