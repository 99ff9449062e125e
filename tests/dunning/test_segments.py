"""Who gets which policy, and that a running case keeps its own."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dunning.account import Account
from dunning.case import settle
from dunning.fold import fold
from dunning.plan import plan
from dunning.policy import Policy
from dunning.segments import Match, PolicyBook, Segment
from tests.dunning.builders import customer, day, failed, failures, invoice, mirror, subscription, the_case

LONG = Policy(key="v1/long", grace=timedelta(days=30))


def book(**when: Any) -> PolicyBook:
    return PolicyBook(Policy(key="v1/base"), (Segment("long", Match(**when), LONG),))


def failing() -> Account:
    """A customer whose renewal of a yearly plan in dollars has failed."""
    return mirror(
        customer(country="DE", metadata=(("tier", "gold"),)),
        subscription(0, "past_due", plan="Team", product="prod_1", interval="year"),
        invoice(0, currency="usd", amount_remaining=60_000, collection_method="charge_automatically"),
        failed(0),
    )


@pytest.mark.parametrize(
    "when",
    [
        {"plan": "Team"},
        {"product": ["prod_1", "prod_2"]},
        {"currency": "usd"},
        {"currency": "usd", "amount_at_least": 60_000},
        {"currency": "usd", "amount_below": 60_001},
        {"interval": "year"},
        {"country": "DE"},
        {"metadata": {"tier": "gold"}},
        {"collection_method": "charge_automatically"},
        {"trial_conversion": False},
        {"plan": "Team", "interval": "year", "country": "DE"},
        {},
    ],
    ids=str,
)
def test_a_segment_fits_when_every_condition_holds(when: dict[str, Any]) -> None:
    """No condition at all fits everybody."""
    assert the_case(settle(failing(), book(**when))).policy == LONG


@pytest.mark.parametrize(
    "when",
    [
        {"plan": "Solo"},
        {"currency": "eur"},
        {"currency": "usd", "amount_at_least": 60_001},
        {"currency": "usd", "amount_below": 60_000},
        {"interval": "month"},
        {"country": "FR"},
        {"metadata": {"tier": "silver"}},
        {"metadata": {"vip": "yes"}},
        {"trial_conversion": True},
        {"plan": "Team", "interval": "month"},
    ],
    ids=str,
)
def test_one_condition_that_does_not_hold_is_enough(when: dict[str, Any]) -> None:
    """Then the base policy is taken."""
    assert the_case(settle(failing(), book(**when))).policy == Policy(key="v1/base")


@pytest.mark.parametrize(
    ("source", "wanted", "fits"),
    [
        ("stripe:de", "stripe:*", True),
        ("stripe:acct_1", ["acme", "stripe:*"], True),
        ("stripe:de", "stripe:de", True),
        ("stripe", "stripe:*", False),
        ("stripe:de", "stripe", False),
        ("stripe:de", "acme:*", False),
    ],
)
def test_a_segment_for_an_account_or_for_all_further_ones(source: str, wanted: Any, fits: bool) -> None:
    """The main account is none of the further ones, and is meant alone where it is named."""
    account = replace(failing(), source=source)
    assert (the_case(settle(account, book(source=wanted))).policy == LONG) is fits


@pytest.mark.parametrize(("ended", "fits"), [(0, True), (-2.9, True), (-4, False), (1, False)])
def test_a_trial_conversion_is_the_first_charge_after_a_trial(ended: float, fits: bool) -> None:
    """A later renewal is none, however the subscription began."""
    known = mirror(subscription(0, "past_due", trial_end=day(ended)), invoice(0), failed(0))
    chosen = the_case(settle(known, book(trial_conversion=True))).policy
    assert (chosen == LONG) is fits


def test_the_first_segment_that_fits_is_taken() -> None:
    """The order of the file is the order of precedence."""
    other = Policy(key="v1/other", grace=timedelta(days=1))
    both = PolicyBook(Policy(), (Segment("a", Match(plan="Team"), LONG), Segment("b", Match(), other)))
    assert the_case(settle(failing(), both)).policy == LONG


def test_a_running_case_keeps_the_policy_it_was_opened_with() -> None:
    """A new version of the file moves nobody's deadline, and changes no rule of a running case."""
    opened = settle(mirror(failures(0)), PolicyBook(LONG))
    newer = Policy(key="v2/base", grace=timedelta(days=5), escalate_after=1)
    later = settle(fold(opened, subscription(3, "past_due")), PolicyBook(newer))
    case = the_case(later)
    assert (case.policy, case.grace) == (LONG, timedelta(days=30))
    assert not [step for step in plan(later, {}, PolicyBook(newer), day(3)).steps if step.name == "attempts"]
