"""Charging a new payment method, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from dunning.events import CustomerFact
from dunning.policy import Policy
from dunning.steps import Effect, Kind, Plan
from tests.dunning.builders import (
    INVOICE,
    account,
    charge,
    day,
    effect,
    failures,
    method,
    planned,
    subscription,
)
from tests.dunning.more_builders import card, policy

OURS = policy(retries="worker")


METHOD = "retry:in_1:method:20260303T090000"


def charges(found: Plan) -> list[datetime]:
    return [each.due_at for each in found.steps if each.kind is Kind.RETRY]


@pytest.mark.parametrize(
    ("code", "charged"),
    [
        ("insufficient_funds", True),
        ("expired_card", True),
        ("stolen_card", True),
        ("incorrect_number", True),
        ("authentication_required", True),
        ("transaction_not_allowed", True),
        ("fraudulent", False),
        ("testmode_decline", False),
        ("revocation_of_authorization", False),
    ],
)
def test_a_new_payment_method_is_charged_at_once_and_once(code: str, charged: bool) -> None:
    """Whoever has just given a card expects it; who has withdrawn their consent does not."""
    known = account(failures(0, code=code), method(2), policy=OURS)
    found = planned(known, 2, policy=OURS)
    now = [each.key for each in found.due(day(2)) if each.kind is Kind.RETRY]
    assert now == ([METHOD] if charged else [])
    done = effect(METHOD, 2, name="retry", kind=Kind.RETRY)
    assert METHOD not in [each.key for each in planned(known, 2.1, done, policy=OURS).steps]


@pytest.mark.parametrize(("changed", "rules"), [(0, OURS), (-1, OURS), (2, policy())])
def test_an_old_method_is_not_charged_again(changed: float, rules: Policy) -> None:
    """It is the one that failed; and where the provider charges, we do not."""
    found = planned(account(failures(0, code="expired_card"), method(changed), policy=rules), 2, policy=rules)
    assert charges(found) == []


def test_a_new_method_and_a_rung_are_one_charge() -> None:
    """Both are due after half a day of outage."""
    rules = policy(OURS, retry={"insufficient_funds": ["2d"]})
    known = account(failures(0), method(2.9), policy=rules)
    done: list[Effect] = []
    for _ in range(2):
        due = [
            each for each in planned(known, 3.5, *done, policy=rules).due(day(3.5)) if each.kind is Kind.RETRY
        ]
        done += [effect(each.key, 3.5, "pending", name="retry", kind=Kind.RETRY) for each in due]
    assert len(done) == 1
    assert done[0].key.startswith("retry:in_1:method:")


GIVEN = [subscription(0.1, payment_method="pm_1"), card(2, 12, 2030)]


@pytest.mark.parametrize(
    ("facts", "last4", "at"),
    [
        # The ceilings hold for it too: eight in a fortnight, the first of them eleven days ago.
        (GIVEN, "4242", 3),
        # Another card has its own.
        (GIVEN, "1111", 2),
        # What is not known may be the same.
        ([], "1111", 3),
        (GIVEN, None, 3),
    ],
)
def test_class_34_a_card_that_is_given_again_and_again_stays_below_the_ceilings(
    facts: list[CustomerFact], last4: str | None, at: float
) -> None:
    """Whoever saves it eight times is not charged eight times in a fortnight."""
    label = {"card_brand": "visa", "card_last4": last4}
    before = [charge(each, ref="in_9", **label) for each in (-11, -6, -5, -4, -3, -2, -1)]
    failed = [*failures(0), charge(0, **label)]
    rules = policy(OURS, retry={"insufficient_funds": ["13d"]})
    known = account(before, failed, facts, method(2), policy=rules)
    due = next(each.due_at for each in planned(known, 2, policy=rules).steps if each.key == METHOD)
    assert due == day(at)


def test_a_policy_may_have_it_charged_whoever_charges_otherwise() -> None:
    """Beside the provider's plans, and once, though several events tell of one card."""
    rules = policy(pay_on_new_method=True)
    known = account(failures(0, code="expired_card", next_attempt_at=day(5)), method(2), policy=rules)
    assert charges(planned(known, 2, policy=rules)) == [day(2)]
    done = effect(METHOD, 2, "pending", name="new_method", kind=Kind.RETRY)
    later = account(failures(0, code="expired_card"), method(2.0004), policy=rules)
    assert charges(planned(later, 2.001, done, policy=rules)) == []
    again = account(failures(0, code="expired_card"), method(3), policy=rules)
    assert charges(planned(again, 3, done, policy=rules)) == []  # it will be charged with the newest
    over = effect(METHOD, 2, "sent", name="new_method", kind=Kind.RETRY)
    assert charges(planned(again, 3, over, policy=rules)) == [day(3)]


def test_what_is_given_after_access_was_taken_pays_too() -> None:
    """That is when most people do it; once the subscription has ended, paying brings nothing back."""
    rules = policy(pay_on_new_method=True)
    known = account(failures(0, code="expired_card"), method(20), policy=rules)
    taken = replace(known.cases[INVOICE], taken_at=day(14), taken_level="revoked")
    lost = replace(known, cases={INVOICE: taken})
    assert charges(planned(lost, 20, policy=rules)) == [day(20)]
    end = subscription(14, "canceled", ended_at=day(14))
    ended = account(failures(0, code="expired_card"), end, method(20), policy=rules)
    assert charges(planned(ended, 20, policy=rules)) == []
