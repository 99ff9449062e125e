"""How often one person is written to: the gap, the most of a case, and the rest after a new card."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dunning.account import Account
from dunning.events import CustomerFact
from dunning.steps import Effect, Kind, Step
from tests.dunning.builders import (
    SECOND,
    account,
    charge,
    day,
    effect,
    failed,
    failures,
    invoice,
    ledger,
    method,
    notice_sent,
    planned,
    policy,
    step,
    warning,
    why,
)
from tests.dunning.schedule import told_on

Facts = list[CustomerFact]
FIRST, SECOND_MAIL, THIRD = (f"payment_failed:in_1:{number}" for number in (1, 2, 3))
OTHER = "payment_failed:in_2:1"


def declined(at: float = 0, *further: CustomerFact) -> Account:
    """Somebody whose ladder is 0, 3 and 7 days."""
    return account(failures(at, code="do_not_honor"), further)


def second(now: float, *done: Effect, known: Account | None = None) -> Step:
    """The second mail as it is planned."""
    found = step(planned(known or declined(), now, *done), SECOND_MAIL)
    assert found is not None
    return found


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_class_1_at_most_one_mail_in_48_hours(seconds: int) -> None:
    """The first one was held up for two days."""
    now = day(4) + seconds * SECOND
    found = planned(declined(), now, notice_sent(2))
    planned_for = step(found, SECOND_MAIL)
    assert planned_for is not None
    assert planned_for.due_at == day(4)
    assert (SECOND_MAIL in [each.key for each in found.due(now)]) is (seconds >= 0)
    assert "at most one mail in 48 h" in planned_for.reason


def test_the_gap_counts_from_the_mail_not_from_its_decision() -> None:
    """A mail that the server took a day later is read a day later."""
    late = Effect(FIRST, Kind.MAIL, "payment_failed", "in_1", "sent", day(1), day(2.5))
    assert second(3, late).due_at == day(4.5)


@pytest.mark.parametrize("status", ["suppressed", "failed"])
def test_a_mail_that_reached_nobody_makes_no_gap(status: str) -> None:
    """Only what may have been read counts."""
    assert second(3, notice_sent(2, status=status)).due_at == day(3)


@pytest.mark.parametrize("status", ["pending", "sending", "sent", "unknown"])
def test_a_mail_that_may_have_arrived_makes_a_gap(status: str) -> None:
    """An unanswered send may be in the inbox."""
    assert second(3, notice_sent(2, status=status)).due_at == day(4)


def test_an_escalation_makes_no_gap() -> None:
    """The team is not the customer."""
    told = effect("escalation:in_1:attempts", 2.9, kind=Kind.TEAM)
    assert second(3, notice_sent(0), told).due_at == day(3)


def test_the_gap_is_the_policys() -> None:
    """None at all, if somebody wants that."""
    hasty = policy(mail_gap=timedelta(0))
    known = account(failures(0, code="do_not_honor"), policy=hasty)
    found = step(planned(known, 3, notice_sent(2.9), policy=hasty), SECOND_MAIL)
    assert found is not None
    assert found.due_at == day(3)


def test_class_20_mails_about_other_invoices_make_a_gap_too() -> None:
    """It is the person who is written to, not the invoice."""
    known = account(failures(0, code="do_not_honor"), failures(0.5, ref="in_2", of="sub_2", code="lost_card"))
    found = step(planned(known, 1, notice_sent(0)), OTHER)
    assert found is not None
    assert found.due_at == day(2)


@pytest.mark.parametrize("other", ["sub_1", "sub_2"])
def test_class_20_one_mail_tells_of_all_that_is_open(other: str) -> None:
    """Two invoices are due to be told in one moment: the mail about the first names the second."""
    known = account(failures(0, code="do_not_honor"), failures(7, ref="in_2", of=other, code="lost_card"))
    found = planned(known, 7, notice_sent(0), notice_sent(3, 2))
    assert {each.key for each in found.due(day(7))} >= {THIRD, OTHER}
    told = planned(known, 7, notice_sent(0), notice_sent(3, 2), notice_sent(7, 3))
    assert why(told, OTHER) == "a mail since then has told it"


def test_class_20_every_invoice_has_its_turn() -> None:
    """What was told of the older one does not silence what fails later."""
    known = account(failures(0, code="do_not_honor"), failures(4, ref="in_2", of="sub_2", code="lost_card"))
    found = step(planned(known, 5, notice_sent(0), notice_sent(3, 2)), OTHER)
    assert found is not None
    assert found.due_at == day(5)


@pytest.mark.parametrize(("most", "days"), [(6, [0, 3, 7]), (5, [0, 3]), (4, [0])])
def test_a_case_has_room_for_so_many_mails(most: int, days: list[float]) -> None:
    """The warnings and the end keep their places, so the ladder gives way."""
    strict = policy(most_mails=most)
    known = account(failures(0, code="do_not_honor"), policy=strict)
    assert told_on(known, "payment_failed", policy=strict) == days
    assert told_on(known, "final_warning", policy=strict) == [11, 13]


def test_a_new_card_is_charged_before_anything_is_said() -> None:
    """The customer has done what the mail asks for: three days for the provider to try it."""
    known = declined(0, method(2.5))
    found = second(3, notice_sent(0), known=known)
    assert found.due_at == day(5.5)
    assert found.reason.endswith("a new payment method has to be charged first")


def test_class_29_who_gave_a_card_that_was_never_charged_hears_of_it() -> None:
    """Nobody has told them yet that a payment is missing; with three days' delay somebody does."""
    known = declined(0, method(0.1))
    told = [each.key for each in planned(known, 3.1).due(day(3.1)) if each.kind is Kind.MAIL]
    assert told == [SECOND_MAIL]
    assert not planned(known, 3).due(day(3))


def test_class_29_the_failure_of_the_new_card_is_told() -> None:
    """Also when the customer's own try with the old card lies between."""
    own_try: Facts = [charge(1, "do_not_honor"), failed(1, 1)]
    retried: Facts = [invoice(2.5, attempt_count=2), failed(2.5, 2), charge(2.5, "do_not_honor"), ledger(2)]
    known = declined(0, *own_try, method(2), *retried)
    assert second(3, notice_sent(0), known=known).due_at == day(3)


def test_a_warning_makes_a_gap_for_another_case() -> None:
    """The person who was warned yesterday about one subscription is not written to today about another."""
    known = account(failures(0), failures(11.5, ref="in_2", of="sub_2", code="lost_card"))
    found = step(planned(known, 12, warning(11)), OTHER)
    assert found is not None
    assert found.due_at == day(13)
