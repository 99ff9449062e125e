"""What becomes of old invoices when their customer comes back, and who may."""

from __future__ import annotations

from typing import Any

import pytest

from dunning.account import Account
from dunning.case import situation
from dunning.plan import plan
from dunning.policy import Policy
from dunning.rules.returning import may_return
from dunning.steps import Kind, Step
from tests.dunning.builders import (
    INVOICE,
    POLICY,
    SUBSCRIPTION,
    account,
    day,
    failures,
    paid,
    subscription,
    voided,
    written_off,
)

VOIDING = POLICY.model_copy(update={"unpaid_on_return": "void"})
ENDED = subscription(8, "canceled", ended_at=day(8), ended_for="payment_failed")


def come_back(
    follows: str | None = SUBSCRIPTION,
    *,
    has_paid: bool = True,
    status: str = "active",
    policy: Policy = VOIDING,
) -> Account:
    """A customer whose subscription ended, and who has another one since."""
    facts: list[Any] = [failures(0), ENDED, subscription(9, status, ref="sub_2", follows=follows)]
    if has_paid:
        facts.append(paid(9, ref="in_2", subscription="sub_2", billing_reason="subscription_create"))
    return account(*facts, policy=policy)


def ends(of: Account) -> list[Step]:
    """What is to be ended at the provider."""
    return [step for step in plan(of, {}, POLICY, day(10)).steps if step.kind is Kind.END]


def test_what_was_left_unpaid_is_voided_when_the_new_one_is_paid() -> None:
    """One step for ever, since its key is."""
    (step,) = ends(come_back())
    assert (step.case, step.name, step.key) == (INVOICE, "void", f"end:{INVOICE}:void")
    assert step.due_at == day(9)


def test_by_default_it_stays() -> None:
    """Nobody's claim is given up unasked."""
    assert ends(come_back(policy=POLICY)) == []


@pytest.mark.parametrize(
    "of",
    [
        come_back(has_paid=False),
        come_back(follows=None),
        come_back(follows="sub_3"),
        come_back(status="incomplete"),
        account(failures(0), ENDED, policy=VOIDING),
    ],
    ids=["unpaid", "bought elsewhere", "of another", "incomplete", "not back"],
)
def test_nothing_else_voids(of: Account) -> None:
    """Only a paid subscription that was bought in its place."""
    assert ends(of) == []


@pytest.mark.parametrize(
    ("of", "may"),
    [
        (account(failures(0), ENDED), True),
        (account(failures(0), ENDED, voided(9)), True),
        (account(failures(0), ENDED, written_off(9)), True),
        (account(failures(0), ENDED, paid(9)), False),
        (account(failures(0)), False),
        (come_back(), False),
    ],
    ids=["ended", "voided", "written off", "paid too late", "open", "back already"],
)
def test_who_may_come_back(of: Account, may: bool) -> None:
    """Whoever has lost it, has no other, and has not paid for nothing."""
    assert may_return(situation(of, of.cases[INVOICE])) is may
