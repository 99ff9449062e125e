"""What becomes of old invoices when their customer comes back, and who may."""

from __future__ import annotations

from typing import Any

import pytest

from dunning.account import Account
from dunning.case import situation
from dunning.plan import plan
from dunning.policy import Policy
from dunning.rules.returning import may_return
from dunning.steps import Effect, Kind, Step
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


@pytest.mark.parametrize("status", ["failed", "unknown"])
def test_a_person_is_called_where_nothing_was_voided(status: str) -> None:
    """The customer was told that they owe nothing of before."""
    key = f"end:{INVOICE}:void"
    tried = {key: Effect(key, Kind.END, "void", INVOICE, status, day(9))}
    found = plan(come_back(), tried, POLICY, day(10))
    assert [step.name for step in found.steps if step.kind is Kind.TEAM] == ["void_unconfirmed"]
    assert not [step for step in found.steps if step.kind is Kind.END]


@pytest.mark.parametrize(
    ("other", "called"),
    [
        ({"follows": SUBSCRIPTION}, True),
        ({"product": "prod_1"}, True),
        ({"product": "prod_2"}, False),
        ({"product": "prod_1", "status": "canceled"}, False),
        (None, False),
    ],
    ids=["two of ours", "same plan elsewhere", "another plan", "ended", "one"],
)
def test_two_subscriptions_in_place_of_one_are_reported(other: dict[str, Any] | None, called: bool) -> None:
    """To a person, who is to pay one of them back."""
    second = [subscription(9.5, ref="sub_3", **({"status": "active"} | other))] if other else []
    known = account(failures(0), ENDED, *_bought_again(), *second)
    names = [step.name for step in plan(known, {}, POLICY, day(10)).steps if step.kind is Kind.TEAM]
    assert names == (["bought_twice"] if called else [])


def _bought_again() -> list[Any]:
    return [
        subscription(9, "active", ref="sub_2", follows=SUBSCRIPTION, product="prod_1"),
        paid(9, ref="in_2", subscription="sub_2", billing_reason="subscription_create"),
    ]


def test_who_runs_two_of_a_plan_anyway_is_nobodys_concern() -> None:
    """Nothing of it was bought on our page."""
    twins = [subscription(9, "active", ref=ref, product="prod_1") for ref in ("sub_2", "sub_3")]
    known = account(failures(0), ENDED, *twins)
    assert [step.name for step in plan(known, {}, POLICY, day(10)).steps if step.kind is Kind.TEAM] == []


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
