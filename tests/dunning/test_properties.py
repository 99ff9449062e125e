"""Whatever Stripe tells, in whatever order and how often: one account, one plan.

PROPERTY_EXAMPLES in the environment asks for more examples than a push can wait for, with another seed; then
run with `--timeout=0`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dunning.account import Account
from dunning.case import settle
from dunning.events import CustomerFact, InvoiceSeen
from dunning.fold import empty, fold
from dunning.plan import plan
from dunning.policy import Policy
from tests.dunning.deeds import Action, act
from tests.dunning.stories import DAY, START, Setting, Story
from tests.dunning.strategies import courses, deeds, examples, policies, settings_of

Fold = Callable[[Account, CustomerFact], Account]


def facts_of(setting: Setting, course: list[Action]) -> tuple[Story, list[CustomerFact]]:
    """Everything Stripe tells of a life, in its order."""
    story, told = Story(setting), []
    for action in course:
        act(story, action)
        told += [fact for said in story.tell() for fact in said]
    return story, told


def told_in(facts: list[CustomerFact], customer: str, step: Fold) -> Account:
    account = empty("stripe", customer)
    for fact in facts:
        account = step(account, fact)
    return account


# A life, a policy for it, and an order in which it is told.
LIVES = {
    "setting": settings_of,
    "policy": policies,
    "course": courses(deeds),
    "seed": st.integers(0, 2**32),
}


@examples(40)
@given(**LIVES)
def test_class_5_any_order_and_any_duplicates_give_one_account(
    setting: Setting, policy: Policy, course: list[Action], seed: int
) -> None:
    """The mirror, the cases and the plan are functions of the set of facts."""
    order_changes_nothing(setting, policy, course, seed)


def order_changes_nothing(setting: Setting, policy: Policy, course: list[Action], seed: int) -> None:
    """Told in disorder and partly twice, they come to what they come to in their order."""
    story, facts = facts_of(setting, course)
    random = Random(seed)  # noqa: S311  # disorder, not a secret
    disorder = facts + random.sample(facts, len(facts) // 2)
    random.shuffle(disorder)
    calm = settle(told_in(facts, story.customer.id, fold), policy)
    shuffled = settle(told_in(disorder, story.customer.id, fold), policy)
    assert shuffled == calm
    for days in (1, 30, 33, 45, 90):
        now = START + days * DAY
        assert plan(shuffled, {}, policy, now) == plan(calm, {}, policy, now)


def last_writer_wins(account: Account, fact: CustomerFact) -> Account:
    """How it must not be done: the invoice as it was told last."""
    account = fold(account, fact)
    if not isinstance(fact, InvoiceSeen):
        return account
    told = replace(account.invoices[fact.invoice], paid_at=fact.paid_at, attempt_count=fact.attempt_count)
    return replace(account, invoices={**account.invoices, fact.invoice: told})


def test_the_property_would_notice_a_fold_that_depends_on_order() -> None:
    """A negative control: the last writer wins, and Hypothesis finds that out."""

    @settings(examples(60), phases=[Phase.generate])
    @given(**LIVES)
    def holds(setting: Setting, policy: Policy, course: list[Action], seed: int) -> None:
        the_last_writer_is_right(setting, course, seed)

    with pytest.raises(AssertionError):
        holds()


def the_last_writer_is_right(setting: Setting, course: list[Action], seed: int) -> None:
    """As it must not be done, told in disorder and in order."""
    story, facts = facts_of(setting, course)
    disorder = list(facts)
    Random(seed).shuffle(disorder)  # noqa: S311  # as above
    calm = told_in(facts, story.customer.id, last_writer_wins)
    assert told_in(disorder, story.customer.id, last_writer_wins) == calm
