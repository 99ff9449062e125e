"""When access ends: after grace, after every word somebody gave, in working hours, never for ever later."""

from datetime import datetime, timedelta

import pytest

from dunning.deadline import grace_ends_at, taken_at
from dunning.events import CustomerFact
from dunning.instructions import Instruction, Verb
from dunning.policy import Policy
from tests.dunning.builders import SECOND, account, charge, day, failed, failures, invoice, ledger, warning
from tests.dunning.more_builders import after, local, policy, said, seen, wall

OFFICE = policy(revocation_hours="mon-thu 09:00-15:00", time_zone="Europe/Berlin")
FROM_LAST = policy(grace_from="final_failure")
HOUR = timedelta(hours=1)
AT_ONCE = timedelta(0)
CYCLES = [each * 7.0 for each in range(12)]


def by_hand(at: float, attempt: int) -> list[CustomerFact]:
    """A try of the customer's own, which fails with the number of the attempt before it."""
    return [charge(at), failed(at, attempt), ledger(attempt)]


def ends(
    facts: list[CustomerFact], *told: Instruction, rules: Policy = FROM_LAST, now: float = 5
) -> datetime:
    c = seen(after(account(facts, policy=rules), *told), now, rules=rules)
    return grace_ends_at(c.s, c.said, rules)


@pytest.mark.parametrize(
    ("facts", "from_first", "from_final"),
    [
        (failures(0), 14, 14),
        (failures(0, 3, 5), 14, 19),
        # The customer's own tries, of which the provider's count knows nothing.
        ([*failures(0, 3), charge(6), charge(9)], 14, 17),
        # Also where they lie between the scheduled ones, whichever news comes first.
        ([*failures(0), *by_hand(2, 1), *failures(0, 5)], 14, 19),
        ([*failures(0), *by_hand(2, 1), *by_hand(3, 1), *failures(0, 5), *by_hand(6, 2)], 14, 19),
        ([*by_hand(6, 2), *failures(0, 5), *by_hand(2, 1)], 14, 19),
        # The event is made a little after its charge.
        (
            [
                *failures(0),
                *by_hand(2, 1),
                charge(5),
                invoice(5.01, attempt_count=2),
                failed(5.01, 2),
                ledger(2),
            ],
            14,
            19,
        ),
        # Retries that are counted and never made.
        ([*failures(0, code="stolen_card"), failed(3, 2), failed(5, 3), ledger(3)], 14, 14),
        ([*failures(0), failed(3, 1), failed(5, 1)], 14, 14),
        # A failure of which no charge has been read yet.
        ([*failures(0), failed(3, 2)], 14, 17),
        (failures(*CYCLES), 14, 74),
        (failures(0, 59.9), 14, 73.9),
        (failures(0, 60), 14, 74),
        (failures(0, 60.1), 14, 74),
        (failures(0, 400), 14, 74),
    ],
)
def test_class_13_no_failure_moves_the_deadline_for_ever(
    facts: list[CustomerFact], from_first: float, from_final: float
) -> None:
    """Counted from the first failure it stands; from the last of the schedule it moves 60 days at most."""
    assert ends(facts, rules=policy()) == day(from_first)
    assert ends(facts) == day(from_final)


@pytest.mark.parametrize(
    ("told", "end"),
    [
        ([], 14),
        ([said(Verb.EXTEND, 3, span=timedelta(days=7))], 21),
        ([said(Verb.EXTEND, 3, span=timedelta(days=7)), said(Verb.EXTEND, 4, span=timedelta(days=2))], 23),
        ([said(Verb.EXTEND, 3, case="in_2", span=timedelta(days=7))], 14),
        ([said(Verb.PAUSE, 3, until=11)], 14),
        ([said(Verb.PAUSE, 3, until=11.1)], 14.1),
        ([said(Verb.PAUSE, 3, until=20)], 23),
        ([said(Verb.PAUSE, 3, case=None, until=20)], 23),
        # Resumed early: what it has cost in time is given, and three days to be warned in.
        ([said(Verb.PAUSE, 3, until=20), said(Verb.RESUME, 12)], 15),
        # A promised day has its slack of one.
        ([said(Verb.PROMISE, 3, until=10)], 14),
        ([said(Verb.PROMISE, 3, until=12)], 16),
        ([said(Verb.PROMISE, 3, until=12), said(Verb.PROMISE, 4, until=13)], 17),
        ([said(Verb.PROMISE, 3, until=12), said(Verb.EXTEND, 4, span=timedelta(days=7))], 21),
        ([said(Verb.STOP, 3)], 14),
        ([said(Verb.STOP, 3), said(Verb.RESUME, 4)], 14),
        ([said(Verb.STOP, 3), said(Verb.RESUME, 30)], 33),
        ([said(Verb.HAND_OVER, 3, to="Grace"), said(Verb.RESUME, 30)], 33),
        ([said(Verb.ACKNOWLEDGE, 3)], 14),
    ],
)
def test_what_people_say_moves_the_end_back_and_never_forward(told: list[Instruction], end: float) -> None:
    """An extension adds; behind a pause, a promise or a stop there are three days at least."""
    assert ends(failures(0), *told, rules=policy()) == day(end)


@pytest.mark.parametrize(
    ("warned", "now", "end"),
    [
        (None, 5, 14),
        (None, 11, 14),
        (None, 12, 15),
        (None, 400, 403),
        (11, 12, 14),
        (11.5, 12, 14.5),
        (11.5, 400, 14.5),
    ],
)
def test_the_end_is_three_days_after_the_first_accepted_warning(
    warned: float | None, now: float, end: float
) -> None:
    """Before there is one, it is what a warning accepted now would make it."""
    done = [] if warned is None else [warning(warned)]
    c = seen(account(failures(0)), now, *done)
    assert c.ends_at == day(end)


def test_a_warning_of_another_deadline_does_not_count() -> None:
    """Whoever was told the 14th and then given a week must hear of the 21st."""
    known = after(account(failures(0)), said(Verb.EXTEND, 12, span=timedelta(days=7)))
    c = seen(known, 20, warning(11))
    assert c.warned_at == []
    assert c.ends_at == day(23)
    assert dict(c.terms.warnings)[timedelta(hours=72)] == "final_warning:in_1:20260313T090000:72h"


A_WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("told", "at"),
    [
        ([], None),
        ([said(Verb.EXTEND, 3, span=A_WEEK)], 3),
        ([said(Verb.EXTEND, 3, case="in_2", span=A_WEEK)], None),
        ([said(Verb.PAUSE, 3, until=20)], 3),
        # What is over three days before the end leaves it where it was, to the second.
        ([said(Verb.PAUSE, 3, until=11)], None),
        ([said(Verb.PAUSE, 3, until=11 + 1 / 86_400)], 3),
        ([said(Verb.PROMISE, 3, until=10)], None),
        ([said(Verb.PROMISE, 3, until=10.1)], 3),
        ([said(Verb.STOP, 3)], None),
        ([said(Verb.STOP, 3), said(Verb.RESUME, 11)], None),
        ([said(Verb.STOP, 3), said(Verb.RESUME, 11.1)], 11.1),
        ([said(Verb.PAUSE, 3, until=20), said(Verb.RESUME, 12)], 12),
        ([said(Verb.EXTEND, 3, span=A_WEEK), said(Verb.PAUSE, 4, until=18)], 3),
        ([said(Verb.ACKNOWLEDGE, 3)], None),
    ],
)
def test_when_the_end_moved_last(told: list[Instruction], at: float | None) -> None:
    """Only a word that moves it is one."""
    c = seen(after(account(failures(0)), *told), 12)
    assert c.terms.moved_at == (None if at is None else day(at))


def test_the_same_working_hour_is_the_same_end() -> None:
    """From Friday to Saturday is no move where access ends on Monday in both cases."""
    rules = policy(OFFICE, time_zone="UTC")
    friday = account(failures(5), policy=rules)
    paused = after(friday, said(Verb.PAUSE, 6, until=16.5), rules=rules)
    assert seen(paused, 8, rules=rules).terms.granted_until == day(19.5)
    assert seen(paused, 8, rules=rules).terms.moved_at is None
    longer = after(friday, said(Verb.PAUSE, 6, until=19.5), rules=rules)
    assert seen(longer, 8, rules=rules).terms.moved_at == day(6)


@pytest.mark.parametrize(("rules", "at"), [(policy(), None), (FROM_LAST, 3)])
def test_a_later_charge_moves_the_end_where_it_counts_from_the_last(rules: Policy, at: float | None) -> None:
    """Not what the customer tries by hand."""
    known = account(failures(0, 3), charge(5), failed(5, 2), ledger(2), policy=rules)
    assert seen(known, 8, rules=rules).terms.moved_at == (None if at is None else day(at))


@pytest.mark.parametrize(
    ("charge_at", "taken"),
    [
        (None, AT_ONCE),
        (-2 * HOUR - SECOND, AT_ONCE),
        (-2 * HOUR, AT_ONCE),
        (-2 * HOUR + SECOND, SECOND),
        (AT_ONCE, 2 * HOUR),
        (48 * HOUR, 50 * HOUR),
        (48 * HOUR + SECOND, AT_ONCE),
    ],
)
def test_a_charge_planned_within_48_hours_is_waited_for(
    charge_at: timedelta | None, taken: timedelta
) -> None:
    """With two hours for the news of it; a later one is not, so that nothing is put off for ever."""
    planned = None if charge_at is None else day(14) + charge_at
    known = account(failures(0), invoice(1, attempt_count=1, next_attempt_at=planned))
    c = seen(known, 12, warning(11))
    assert taken_at(c.s, c.ends_at, c.policy) == day(14) + taken


def test_a_charge_that_will_not_be_made_is_not_waited_for() -> None:
    """Stripe plans retries of a stolen card and makes none."""
    known = account(failures(0, code="stolen_card"), invoice(1, attempt_count=1, next_attempt_at=day(14.5)))
    c = seen(known, 12, warning(11))
    assert taken_at(c.s, c.ends_at, c.policy) == day(14)


@pytest.mark.parametrize(
    ("first_failure", "end"),
    [
        # Fourteen days later it is the same day of the week.
        ("2026-03-02 10:00", "Mon 16 Mar 10:00"),
        ("2026-03-02 08:59:59", "Mon 16 Mar 09:00"),
        ("2026-03-05 14:59:59", "Thu 19 Mar 14:59"),
        ("2026-03-05 15:00", "Mon 23 Mar 09:00"),
        ("2026-03-06 10:00", "Mon 23 Mar 09:00"),
        ("2026-03-08 23:00", "Mon 23 Mar 09:00"),
        # Over the change of clocks a fortnight of hours is another time on the wall.
        ("2026-03-16 09:00", "Mon 30 Mar 10:00"),
        ("2026-10-12 09:30", "Mon 26 Oct 09:00"),
        ("2026-10-15 14:30", "Thu 29 Oct 13:30"),
        # Easter: Good Friday is no day of ours anyway, Monday is a holiday.
        ("2026-03-19 16:00", "Tue 07 Apr 09:00"),
        ("2026-12-10 16:00", "Mon 28 Dec 09:00"),
    ],
)
def test_access_ends_in_working_hours_of_the_merchant(first_failure: str, end: str) -> None:
    """Somebody is there when an angry customer calls."""
    rules = policy(OFFICE, holidays=["2026-04-03", "2026-04-06", "2026-12-24", "2026-12-25"])
    opened = (local(first_failure) - day(0)) / timedelta(days=1)
    known = account(failures(opened), policy=rules)
    assert wall(seen(known, local(first_failure), rules=rules).ends_at) == end


@pytest.mark.parametrize("backwards", [False, True])
def test_what_was_read_late_does_not_date_the_final_failure(backwards: bool) -> None:
    """A worker was away: it asked because of the first event, and was told of the second charge as well."""
    told = [*failures(0, 3), invoice(0, read_at=day(4), attempt_count=2)]
    assert ends(told[::-1] if backwards else told) == day(17)
