"""What changes the ladder: a harder decline, a new payment method, a night, a word."""

from __future__ import annotations

from datetime import datetime

import pytest

from dunning.events import CustomerFact
from dunning.steps import Effect, Kind, Plan
from tests.dunning.builders import (
    account,
    charge,
    customer,
    day,
    failed,
    failures,
    invoice,
    ledger,
    method,
    notice_sent,
    planned,
    step,
    subscription,
    why,
)
from tests.dunning.more_builders import BERLIN, NEW_YORK, local, policy, wall

NEW_REASON = "payment_failed:in_1:new_reason"


def key(number: int, ref: str = "in_1") -> str:
    return f"payment_failed:{ref}:{number}"


def due(found: Plan, which: str) -> datetime | None:
    planned_step = step(found, which)
    return planned_step.due_at if planned_step else None


@pytest.mark.parametrize(
    ("codes", "at"),
    [
        (["insufficient_funds"], None),
        (["stolen_card"], None),
        (["stolen_card", "stolen_card"], None),
        (["insufficient_funds", "insufficient_funds"], None),
        (["insufficient_funds", "stolen_card"], 5),
        (["insufficient_funds", "expired_card"], 5),
        (["insufficient_funds", "authentication_required"], 5),
        (["insufficient_funds", "stolen_card", "stolen_card"], 5),
        (["insufficient_funds", "insufficient_funds", "expired_card"], 5.5),
    ],
)
def test_a_hard_decline_after_a_soft_one_is_told_once(codes: list[str], at: float | None) -> None:
    """Charging again will not help any more, which the customer could not know."""
    facts: list[CustomerFact] = []
    for attempt, code in enumerate(codes, start=1):
        when = 0 if attempt == 1 else 4.5 + 0.5 * (attempt - 1)
        facts += [invoice(when, attempt_count=attempt), failed(when, attempt), charge(when, code)]
        facts += [ledger(attempt), subscription(when)]
    found = planned(account(facts), 5.6, notice_sent(1))
    assert due(found, NEW_REASON) == (None if at is None else day(at))
    after = planned(
        account(facts),
        6,
        notice_sent(1),
        Effect(NEW_REASON, Kind.MAIL, "payment_failed", "in_1", "sent", day(5.6), day(5.6)),
    )
    assert step(after, NEW_REASON) is None


def test_the_change_is_not_told_twice() -> None:
    """The next mail of the ladder has told it already."""
    known = account(failures(0), charge(3.5, "stolen_card"), failed(3.5, 2), ledger(2))
    assert why(planned(known, 5, notice_sent(4, 2)), NEW_REASON) == "a mail since then has told it"


@pytest.mark.parametrize(("changed", "rung"), [(None, 3), (-1, 3), (0, 3), (0.1, 3.1), (2, 5), (2.9, 5.9)])
def test_a_new_payment_method_gives_three_days(changed: float | None, rung: float) -> None:
    """It has to be charged first; one from before the failure changes nothing."""
    facts = [] if changed is None else [method(changed)]
    found = planned(account(failures(0, code="expired_card"), facts), 2.95, notice_sent(0))
    assert due(found, key(2)) == day(rung)


@pytest.mark.parametrize(
    ("code", "at", "told"),
    [
        ("expired_card", "2026-03-03 03:00", "Tue 03 Mar 09:00"),
        ("expired_card", "2026-03-03 09:00", "Tue 03 Mar 09:00"),
        ("expired_card", "2026-03-03 19:59:59", "Tue 03 Mar 19:59"),
        ("expired_card", "2026-03-03 20:00", "Wed 04 Mar 09:00"),
        # The night in which the clocks change.
        ("expired_card", "2026-03-28 22:00", "Sun 29 Mar 09:00"),
        ("authentication_required", "2026-03-03 03:00", "Tue 03 Mar 03:00"),
    ],
)
def test_a_notice_waits_for_the_morning_and_a_confirmation_does_not(code: str, at: str, told: str) -> None:
    """Whoever has to confirm may still be sitting there; that is true of the first mail alone."""
    rules = policy(mail_hours="daily 09:00-20:00")
    opened = (local(at) - day(0)).total_seconds() / 86_400
    known = account(customer(0, country="DE"), failures(opened, code=code), policy=rules)
    found = step(planned(known, local(at), policy=rules), key(1))
    assert found is not None
    assert wall(found.due_at, BERLIN) == told


def test_the_second_mail_about_a_confirmation_waits_for_the_morning() -> None:
    """Nobody sits there for three days."""
    rules = policy(mail_hours="daily 09:00-20:00")
    known = account(customer(0, country="US"), failures(0, code="authentication_required"), policy=rules)
    found = step(planned(known, 1, notice_sent(0), policy=rules), key(2))
    assert found is not None
    assert wall(found.due_at, NEW_YORK) == "Wed 04 Mar 09:00"
    assert found.wanted_at == day(3)
