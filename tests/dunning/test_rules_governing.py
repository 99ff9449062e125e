"""What each instruction makes of each kind of step, as one table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dunning.account import Account
from dunning.instructions import Instruction, Verb
from dunning.rules.governing import governed
from dunning.steps import Kind, Step
from tests.dunning.builders import account, day, failures, method, planned, step
from tests.dunning.more_builders import after, policy, said, seen

DUE, NOW = 4.0, 3.0
STEPS = {
    "notice": Step(Kind.MAIL, "payment_failed:in_1:2", "payment_failed", "in_1", day(DUE), "why"),
    "warning": Step(Kind.MAIL, "final_warning:in_1:72h", "final_warning", "in_1", day(DUE), "why"),
    "first": Step(Kind.MAIL, "first_payment:in_1:1", "first_payment", "in_1", day(DUE), "why"),
    "ended": Step(Kind.MAIL, "access_ended:in_1", "access_ended", "in_1", day(DUE), "why"),
    "receipt": Step(Kind.MAIL, "recovered:in_1", "payment_recovered", "in_1", day(DUE), "why"),
    "call": Step(Kind.TEAM, "escalation:in_1:attempts", "attempts", "in_1", day(DUE), "why"),
    "fraud": Step(Kind.TEAM, "escalation:in_1:fraud", "fraud", "in_1", day(DUE), "why"),
    "reminder": Step(Kind.TEAM, "escalation:in_1:reminder:1", "reminder:1", "in_1", day(DUE), "why"),
    "late money": Step(
        Kind.TEAM, "escalation:in_1:paid_after_end", "paid_after_end", "in_1", day(DUE), "why"
    ),
    "access": Step(Kind.ACCESS, "access:in_1:revoked", "revoked", "in_1", day(DUE), "why"),
    "charge": Step(Kind.RETRY, "retry:in_1:1", "retry", "in_1", day(DUE), "why"),
    "provider": Step(Kind.END, "end:in_1:cancel", "cancel", "in_1", day(DUE), "why"),
}
NO = None
STOP, HAND = said(Verb.STOP, 1), said(Verb.HAND_OVER, 1, to="Grace")
PROMISE, PAUSE = said(Verb.PROMISE, 1, until=6), said(Verb.PAUSE, 1, until=9)
# The day on which each step is due, or None where it is withheld.
TABLE: list[tuple[str, list[Instruction], list[float | None]]] = [
    #               notice warning first ended receipt call fraud remind late access charge provider
    ("nothing", [], [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]),
    ("stop", [STOP], [NO, NO, NO, NO, 4, NO, 4, NO, 4, NO, NO, NO]),
    ("exclude", [said(Verb.EXCLUDE, 1, case=None)], [NO, NO, NO, NO, 4, NO, 4, NO, 4, NO, NO, NO]),
    ("hand over", [HAND], [NO, NO, NO, NO, 4, NO, 4, 4, 4, NO, NO, NO]),
    ("both", [STOP, replace(HAND, at=day(2))], [NO, NO, NO, NO, 4, NO, 4, NO, 4, NO, NO, NO]),
    ("resumed", [STOP, said(Verb.RESUME, 2)], [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]),
    ("pause", [PAUSE], [9, 9, 9, 4, 4, 4, 4, 4, 4, 9, 9, 9]),
    ("past pause", [said(Verb.PAUSE, 1, until=3.5)], [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]),
    ("promise", [PROMISE], [7, 7, 7, 4, 4, 4, 4, 4, 4, 7, 6 - 1 / 24, 7]),
    ("promise, then pause", [PROMISE, replace(PAUSE, at=day(2))], [9, 9, 9, 4, 4, 4, 4, 4, 4, 9, 9, 9]),
    (
        "pause, then promise",
        [said(Verb.PAUSE, 1, until=5), replace(PROMISE, at=day(2))],
        [7, 7, 7, 4, 4, 4, 4, 4, 4, 7, 6 - 1 / 24, 7],
    ),
    ("extend", [said(Verb.EXTEND, 1, span=policy().grace)], [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]),
    ("acknowledge", [said(Verb.ACKNOWLEDGE, 1)], [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]),
]


def known(*told: Instruction) -> Account:
    return after(account(failures(0)), *told)


@pytest.mark.parametrize(("told", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_each_instruction_makes_of_each_step(
    told: list[Instruction], expected: list[float | None]
) -> None:
    """A hold withholds, a pause and a promise put off; money that came is always told, and calls come."""
    c = seen(known(*told), NOW)
    found = [governed(c, each) for each in STEPS.values()]
    days = [
        (each.due_at - day(0)).total_seconds() / 86_400 if isinstance(each, Step) else None for each in found
    ]
    assert dict(zip(STEPS, days, strict=True)) == dict(zip(STEPS, expected, strict=True))


def test_a_step_that_waits_says_for_what() -> None:
    """The reason of the rule, and the reason of the person."""
    c = seen(known(PROMISE), NOW)
    found = governed(c, STEPS["warning"])
    assert found == replace(
        STEPS["warning"], due_at=day(7), reason="why; the customer promised to pay by 2026-03-07"
    )


@pytest.mark.parametrize(
    ("now", "due"),
    [
        # Sunday 1 March is day 0; working hours are Monday to Thursday, nine to three.
        (3, 4),
        (4.2, 4.2),
        (4.24, 4.24),
        (4.25, 8),
        (5, 8),
        (8.1, 8.1),
    ],
)
def test_access_that_is_late_waits_for_people_all_the_same(now: float, due: float) -> None:
    """An outage from Thursday to Friday ends nobody's access on a Friday."""
    rules = policy(revocation_hours="mon-thu 09:00-15:00")
    c = seen(account(failures(0), policy=rules), now, rules=rules)
    found = governed(c, STEPS["access"])
    assert isinstance(found, Step)
    assert (found.due_at, found.wanted_at) == (day(due), day(DUE))


@pytest.mark.parametrize(
    ("hours", "opened", "due"),
    [
        ("daily 09:00-20:00", 0, 4.0),
        ("daily 12:00-20:00", 0, 4.125),
        ("daily 00:00-08:00", 0, 4.625),
        # A morning that is closer than a day to the end: it comes at night.
        ("daily 12:00-20:00", -9, 4.0),
        ("daily 12:00-20:00", -8.88, 4.0),
        ("daily 12:00-20:00", -8.875, 4.125),
    ],
)
def test_an_ordinary_mail_waits_for_the_morning_unless_that_is_too_late(
    hours: str, opened: float, due: float
) -> None:
    """Nothing ordinary is pushed into the last day of access."""
    rules = policy(mail_hours=hours, grace="14d")
    c = seen(account(failures(opened), policy=rules), opened, rules=rules)
    found = governed(c, STEPS["notice"])
    assert isinstance(found, Step)
    assert found.due_at == day(due)
    assert ("in waking hours" in found.reason) is (due != DUE)


def test_the_promised_day_is_the_day_to_charge() -> None:
    """In the morning, and not the day after, on which it counts as broken."""
    rules = policy(retries="worker")
    told = after(account(failures(0), method(1), policy=rules), said(Verb.PROMISE, 2, until=6), rules=rules)
    found = step(planned(told, 2, policy=rules), "retry:in_1:method:20260302T090000")
    assert found is not None
    assert found.due_at == day(6 - 1 / 24)
