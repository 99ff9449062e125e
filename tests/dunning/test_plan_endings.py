"""What is said when it is over: access has ended, the invoice was paid, or it was paid too late."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.account import Account
from dunning.events import CustomerFact
from dunning.steps import Effect, Kind
from tests.dunning.builders import (
    INVOICE,
    SECOND,
    account,
    customer,
    day,
    effect,
    failures,
    keys,
    notice_sent,
    paid,
    planned,
    step,
    subscription,
    voided,
    why,
    written_off,
)

Facts = list[CustomerFact]
ENDED, RECOVERED = "access_ended:in_1", "recovered:in_1"
LATE = "escalation:in_1:paid_after_end"
TOLD = notice_sent(0)


def taken(known: Account, at: float = 14, ref: str = INVOICE) -> Account:
    case = replace(known.cases[ref], taken_at=day(at), taken_level="revoked")
    return replace(known, cases={**known.cases, ref: case})


@pytest.mark.parametrize(
    ("stop", "at"),
    [
        (subscription(5, "unpaid"), 5),
        (subscription(6, "paused", paused_for="first_payment_failure"), 6),
        (subscription(9, "canceled", ended_at=day(8), ended_for="payment_failed"), 8),
    ],
)
def test_the_end_is_told_once(stop: CustomerFact, at: float) -> None:
    """At once, whoever ended it."""
    known = account(failures(0), stop)
    found = step(planned(known, 10, TOLD), ENDED)
    assert found is not None
    assert (found.name, found.due_at) == ("access_ended", day(at))
    assert step(planned(known, 10, TOLD, effect(ENDED, at)), ENDED) is None


def test_our_own_end_is_told_when_it_is_done() -> None:
    """Not when it was due."""
    found = step(planned(taken(account(failures(0)), 15), 16, TOLD), ENDED)
    assert found is not None
    assert (found.due_at, found.reason) == (day(15), "access has ended: grace_expired")


@pytest.mark.parametrize(
    "end",
    [
        subscription(8, "canceled", ended_for="cancellation_requested"),
        subscription(8, "canceled"),
        customer(8, deleted=True),
        voided(8),
        written_off(8),
    ],
)
def test_class_15_an_end_that_is_no_dunning_is_not_told(end: CustomerFact) -> None:
    """A wish to leave, a deletion, a void and a write-off are no reason to write."""
    assert not keys(planned(account(failures(0), end), 9, TOLD))


def test_class_24_who_has_bought_again_is_not_told() -> None:
    """They have access."""
    known = account(failures(0), subscription(5, "unpaid"), subscription(6, "active", ref="sub_2"))
    assert why(planned(known, 7, TOLD), ENDED) == "the customer has another subscription that entitles them"


def test_class_21_two_unpaid_invoices_of_one_subscription_end_once() -> None:
    """One subscription, one end, one mail."""
    known = account(failures(0), failures(7, ref="in_2"), subscription(21, "unpaid"))
    told = effect(ENDED, 21)
    assert why(planned(known, 21, TOLD, told), "access_ended:in_2") == (
        "the customer was told before that this subscription gives no access any more"
    )


def test_class_21_the_final_cancellation_after_our_own_end_is_not_told_again() -> None:
    """Neither for the case that was told nor for the other."""
    known = account(
        failures(0), failures(7, ref="in_2"), subscription(30, "canceled", ended_for="payment_failed")
    )
    assert keys(planned(taken(known), 30, TOLD, effect(ENDED, 14))) == []


def test_an_end_after_a_payment_is_news_again() -> None:
    """What was told a year ago does not silence it."""
    known = account(
        failures(0),
        paid(16),
        subscription(16, "active"),
        failures(60, ref="in_2"),
        subscription(80, "unpaid"),
    )
    found = planned(taken(known), 80, TOLD, effect(ENDED, 14), effect(RECOVERED, 16))
    assert step(found, "access_ended:in_2")


def test_class_2_a_receipt_answers_a_notice() -> None:
    """When the payment came, if the customer had been told of the failure."""
    found = step(planned(account(failures(0), paid(3)), 3, TOLD), RECOVERED)
    assert found is not None
    assert (found.name, found.due_at) == ("payment_recovered", day(3))


@pytest.mark.parametrize(
    "done",
    [
        [],
        [notice_sent(0, status="suppressed")],
        [notice_sent(0, status="failed")],
        [notice_sent(0, ref="in_2")],
        [effect("escalation:in_1:attempts", 1, kind=Kind.TEAM)],
    ],
)
def test_who_was_never_told_gets_no_receipt(done: list[Effect]) -> None:
    """A silent failure that a retry has cured is nobody's business."""
    found = planned(account(failures(0), paid(3)), 3, *done)
    assert why(found, RECOVERED) == "the customer was never told of the failure"


@pytest.mark.parametrize("status", ["pending", "sending", "unknown"])
def test_who_may_have_been_told_gets_a_receipt(status: str) -> None:
    """A mail in flight is answered."""
    assert step(planned(account(failures(0), paid(3)), 3, notice_sent(0, status=status)), RECOVERED)


def test_class_16_who_was_locked_out_gets_a_receipt_in_any_case() -> None:
    """They need to know that they may come back."""
    known = account(failures(0), paid(20))
    assert step(planned(taken(known), 20), RECOVERED)


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_a_stale_receipt_is_not_sent(seconds: int) -> None:
    """A week later it is no news."""
    now = day(10) + seconds * SECOND
    found = planned(account(failures(0), paid(3)), now, TOLD)
    assert (step(found, RECOVERED) is None) is (seconds > 0)
    if seconds > 0:
        assert why(found, RECOVERED) == "the payment is too long ago for a receipt to be news"


@pytest.mark.parametrize("closing", [voided(3), written_off(3), paid(3, amount=0)])
def test_class_17_no_money_no_receipt(closing: CustomerFact) -> None:
    """Nobody paid."""
    assert not keys(planned(account(failures(0), closing), 3, TOLD))


def test_class_2_a_payment_ends_every_other_plan() -> None:
    """Nothing but the receipt is left."""
    known = account(failures(0, 3, 6), paid(7), subscription(7, "active"))
    assert keys(planned(known, 7, TOLD)) == [RECOVERED]


def test_class_19_money_after_the_end_calls_a_person() -> None:
    """It gives nothing by itself, so somebody has to look; a receipt would promise too much."""
    known = account(failures(0), subscription(7, "canceled", ended_at=day(7)), paid(9))
    found = planned(known, 9, TOLD)
    assert keys(found) == [LATE]
    assert keys(planned(known, 9, TOLD, effect(LATE, 9))) == []


def test_class_38_a_payment_of_what_was_written_off_is_a_recovery() -> None:
    """Booked, and answered."""
    known = account(failures(0), written_off(14), paid(40))
    assert keys(planned(known, 40, TOLD)) == [RECOVERED]


@pytest.mark.parametrize("stopped", ["unpaid", "paused"])
def test_paid_but_not_revived_is_no_receipt_yet_and_a_call_after_an_hour(stopped: str) -> None:
    """Nobody reads that access is back while it is not, and nobody who paid is forgotten."""
    held = subscription(14, stopped, paused_for="final_payment_failure" if stopped == "paused" else None)
    known = account(failures(0), held, paid(15))
    found = planned(known, 15, notice_sent(0))
    call = step(found, f"escalation:{INVOICE}:paid_but_stopped")
    assert call is not None
    assert call.due_at == day(15) + timedelta(hours=1)
    assert step(found, f"recovered:{INVOICE}") is None
    revived = planned(
        account(failures(0), held, paid(15), subscription(15.01, "active")), 15.02, notice_sent(0)
    )
    assert step(revived, f"recovered:{INVOICE}")
    assert step(revived, f"escalation:{INVOICE}:paid_but_stopped") is None
