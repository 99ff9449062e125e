"""Exactly what was taken is given back, by money or by a person who forgives, and by nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dunning.access import Level, Reason
from dunning.account import Account
from dunning.case import settle
from dunning.events import CustomerFact
from dunning.fold import fold
from dunning.instructions import Instruction, Verb
from dunning.receipts import Receipt, given_back, receipt, with_access_taken
from dunning.steps import Kind, Step
from tests.dunning.builders import (
    POLICY,
    account,
    day,
    failures,
    paid,
    planned,
    subscription,
    voided,
    written_off,
)
from tests.dunning.more_builders import after, said

LIMIT = Step(Kind.ACCESS, "restriction:in_1", "limited", "in_1", day(10), "")
REVOKE = Step(Kind.ACCESS, "access:in_1:revoked", "revoked", "in_1", day(14), "")
LIMIT_AT_END = Step(Kind.ACCESS, "access:in_1:limited", "limited", "in_1", day(14), "")


def taken(*steps: Step, before: Level = Level.WARNED) -> Account:
    """A case from which this was taken, one after the other."""
    known = account(failures(0))
    for each in steps:
        known = with_access_taken(known, each, each.due_at, before)
        before = Level(each.name)
    return known


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ([], None),
        ([LIMIT], Receipt("sub_1", "warned", "limited", day(10), None)),
        ([REVOKE], Receipt("sub_1", "warned", "revoked", None, day(14))),
        ([LIMIT_AT_END], Receipt("sub_1", "warned", "limited", None, day(14))),
        ([LIMIT, REVOKE], Receipt("sub_1", "warned", "revoked", day(10), day(14))),
    ],
)
def test_what_was_taken_is_written_down(steps: list[Step], found: Receipt | None) -> None:
    """From what was there before the first step to what is left after the last."""
    assert receipt(taken(*steps).cases["in_1"]) == found


PAID: list[CustomerFact] = [paid(20), subscription(20, status="active")]
ACTIVE = subscription(21, status="active")


@pytest.mark.parametrize(
    ("facts", "told", "level", "redeemed"),
    [
        ([], [], Level.REVOKED, False),
        (PAID, [], Level.FULL, True),
        ([], [said(Verb.FORGIVE, 20)], Level.WARNED, True),
        ([ACTIVE], [said(Verb.FORGIVE, 20)], Level.FULL, True),
        ([written_off(20)], [], Level.REVOKED, False),
        ([written_off(20), ACTIVE], [], Level.REVOKED, False),
        ([voided(20), ACTIVE], [], Level.REVOKED, False),
        ([paid(20, amount=0), ACTIVE], [], Level.REVOKED, False),
        ([ACTIVE], [], Level.REVOKED, False),
        # Money that comes after a write-off is money.
        ([written_off(20), *PAID], [], Level.FULL, True),
        ([written_off(20), ACTIVE], [said(Verb.FORGIVE, 22)], Level.FULL, True),
        # Money for another invoice does not pay this one.
        ([paid(20, ref="in_2")], [], Level.REVOKED, False),
    ],
)
def test_classes_16_to_18_only_money_or_a_person_gives_it_back(
    facts: list[CustomerFact], told: list[Instruction], level: Level, redeemed: bool
) -> None:
    """A write-off, a void, a credit or the word `active` opens no door."""
    before = taken(LIMIT, REVOKE)
    known = after(settle(fold(before, *facts), POLICY), *told)
    assert planned(known, 25).access.level is level
    found = given_back(before.cases["in_1"], known.cases["in_1"])
    assert found == (Receipt("sub_1", "warned", "revoked", day(10), day(14)) if redeemed else None)


def test_a_write_off_of_a_limited_case_leaves_it_limited() -> None:
    """What was left of access is left, and no more comes back."""
    known = settle(fold(taken(LIMIT), written_off(20), ACTIVE), POLICY)
    found = planned(known, 25).access
    assert (found.level, found.reason) == (Level.LIMITED, Reason.WRITTEN_OFF)


def test_a_receipt_is_redeemed_once() -> None:
    """Who was forgiven and pays all the same gets nothing back twice, nor at a second look."""
    before = taken(REVOKE)
    forgiven = after(before, said(Verb.FORGIVE, 20))
    settled = settle(fold(forgiven, *PAID), POLICY)
    cases = [known.cases["in_1"] for known in (before, forgiven, settled)]
    assert [each.outcome for each in cases] == [None, "forgiven", "recovered"]
    assert given_back(cases[0], cases[1]) == receipt(cases[0])
    assert given_back(cases[1], cases[1]) is None
    assert given_back(cases[1], cases[2]) is None


def test_a_case_that_took_nothing_gives_nothing_back() -> None:
    """A payment in time is no return of access."""
    known = account(failures(0), PAID)
    assert given_back(None, known.cases["in_1"]) is None


def test_each_case_has_its_own_receipt() -> None:
    """Paying one of two plans gives back that one."""
    known = account(failures(0), failures(0, ref="in_2", of="sub_2"))
    for step in (REVOKE, replace(REVOKE, key="access:in_2:revoked", case="in_2")):
        known = with_access_taken(known, step, day(14), Level.WARNED)
    after_one = settle(fold(known, *PAID), POLICY)
    assert given_back(known.cases["in_1"], after_one.cases["in_1"]) is not None
    assert given_back(known.cases["in_2"], after_one.cases["in_2"]) is None
    assert planned(after_one, 25).access.subscription == "sub_1"
