"""When a case opens, and how long its grace is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from dunning.account import Account, Case
from dunning.case import settle
from dunning.events import CustomerFact
from dunning.fold import fold
from dunning.policy import Policy
from tests.dunning.builders import (
    INVOICE,
    POLICY,
    SUBSCRIPTION,
    account,
    charge,
    day,
    failed,
    failures,
    invoice,
    ledger,
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


def test_a_failed_renewal_opens_a_case() -> None:
    """At the first failure, with the policy's grace."""
    case = the_case(account(failures(0)))
    assert case == Case(INVOICE, SUBSCRIPTION, day(0), timedelta(days=14), policy=POLICY)
    assert case.is_open
    assert case.grace_ends_at == day(14)


@pytest.mark.parametrize(
    "fields",
    [
        {"collection_method": "send_invoice"},
        {"subscription": None},
    ],
    ids=["sent by hand", "one-off"],
)
def test_class_12_what_is_no_failed_renewal_is_not_dunned(fields: dict[str, Any]) -> None:
    """A bill sent by hand is not charged, a one-off renews nothing."""
    assert not account(invoice(**fields, attempt_count=1), failed(), charge(), ledger()).cases


def test_nothing_failed_no_case() -> None:
    """An open invoice is tried within the hour; before that nobody owes anything."""
    assert not account(invoice(), subscription(0, "active"), charge()).cases


def test_class_13_deadline_is_not_restamped() -> None:
    """Every further failure, and a later policy, leave the end of grace where it was stamped."""
    known = account(failures(0))
    known = later(known, *failures(0, 3, 5), policy=Policy(grace=timedelta(days=30)))
    assert the_case(known).grace_ends_at == day(14)


def test_class_13_a_first_charge_after_the_first_failure_moves_nothing() -> None:
    """Without a card the first failure has no charge; one that fails days later is not the first failure."""
    known = account(invoice(), failed(), ledger(no_method=True))
    known = later(known, invoice(5, attempt_count=2), failed(5, 2), charge(5), ledger(2))
    assert (the_case(known).opened_at, the_case(known).grace_ends_at) == (day(0), day(14))


def test_an_earlier_failure_learned_later_opens_the_case_earlier() -> None:
    """The second failure arrived first: grace counts from the first all the same."""
    known = account(invoice(3, attempt_count=2), failed(3, 2))
    known = later(known, failed(0, 1))
    assert the_case(known).opened_at == day(0)


def test_grace_counts_from_the_charge_not_from_its_report() -> None:
    """The event is made a moment after the charge."""
    assert the_case(account(invoice(), failed(0.001), charge(0))).opened_at == day(0)


@pytest.mark.parametrize(
    "ending",
    [lambda: [paid(3)], lambda: [voided(3)], lambda: [written_off(3)]],
    ids=["paid", "void", "written off"],
)
def test_settling_twice_changes_nothing(ending: Callable[[], Facts]) -> None:
    """A settled account is settled."""
    known = account(failures(0), ending())
    assert settle(known, POLICY) == known


def test_open_cases_come_oldest_first() -> None:
    """The first to fail leads."""
    known = account(failures(3, ref="in_2"), failures(0, ref="in_9"))
    assert [case.invoice for case in known.open_cases()] == ["in_9", "in_2"]
