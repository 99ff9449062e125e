"""Every promise, through disorderly lives under every kind of policy: see `promises` for what is checked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from dunning.case import settle
from dunning.plan import plan
from dunning.policy import Policy
from dunning.steps import Kind
from sandbox.stripe.records import Subscription
from tests.dunning import promises
from tests.dunning.deeds import Action
from tests.dunning.held import holds
from tests.dunning.life import Life
from tests.dunning.stories import Setting, Story
from tests.dunning.strategies import courses, deeds, examples, policies, sayings, settings_of, waits

seeds = st.integers(0, 2**32)


def live(setting: Setting, policy: Policy, course: list[Action], seed: int) -> Life:
    """Play it: events up to three days late, some of them twice, mails and Stripe failing."""
    life = Life(Story(setting), policy, Random(seed), policy, bounces=0.2)  # noqa: S311  # disorder, not a secret
    for action in course:
        life.do(action)
    return life


@examples(50)
@given(setting=settings_of, policy=policies, course=courses(deeds, sayings), seed=seeds)
def test_every_promise_is_kept_through_a_disorderly_life(
    setting: Setting, policy: Policy, course: list[Action], seed: int
) -> None:
    """Whatever customers do and the team says, while time passes."""
    life = live(setting, policy, course, seed)
    life.hear_everything()
    life.enact()
    promises.mails_far_enough_apart(life)
    told_at_once = settle(replace(life.account, cases={}), policy)
    for ref, case in life.account.cases.items():
        assert (case.opened_at, case.grace, case.outcome) == (
            told_at_once.cases[ref].opened_at,
            told_at_once.cases[ref].grace,
            told_at_once.cases[ref].outcome,
        )


@examples(30)
@given(
    setting=settings_of,
    policy=policies,
    words=st.lists(sayings | waits, max_size=4),
    seed=seeds,
)
def test_class_29_who_never_pays_is_not_forgotten(
    setting: Setting, policy: Policy, words: list[Action], seed: int
) -> None:
    """In the end access has ended, or a person was called about it, or a person holds it."""
    refused = tuple(answer for answer in setting.answers if answer != "ok") or ("do_not_honor",)
    setting = replace(setting, answers=("ok", *refused))
    life = live(setting, policy, [("wait", 31.5), *words, ("wait", 60.0)], seed)
    life.hear_everything()
    for _ in range(3):
        life.enact()
        life.carry_out(("sent",))
    for case in list(life.account.open_cases())[:1]:
        ended = plan(life.account, life.history, policy, life.now).access.level in ("limited", "revoked")
        called = any(step.kind is Kind.TEAM for _, step in life.done.steps)
        assert ended or called or holds(life.account, case, life.now)


@examples(30)
@given(setting=settings_of, policy=policies, course=courses(deeds), seed=seeds)
def test_class_35_money_and_access_agree_in_the_end(
    setting: Setting, policy: Policy, course: list[Action], seed: int
) -> None:
    """Who has paid is not locked out (class 16); who was stopped without money is not let in (class 17)."""
    life = live(setting, policy, course, seed)
    life.hear_everything()
    found = plan(life.account, life.history, policy, life.now + timedelta(seconds=1)).access
    customer = life.story.engine.refresh(life.story.customer)
    bought = [life.story.engine.get(Subscription, each.id) for each in life.story.subscriptions]
    if customer.deleted or all(each.ended or _stopped_by_stripe(life, each) for each in bought):
        assert found.level == "revoked"
    elif all(each.ended or _stopped_unpaid(life, each) for each in bought):
        assert found.level in ("revoked", policy.at_expiry)
    elif any(each.status in ("active", "trialing") and _all_paid(life, each) for each in bought):
        assert found.level == "full"


def _all_paid(life: Life, subscription: Subscription) -> bool:
    invoices = life.story.engine.invoices(subscription)
    return all(each.status == "paid" for each in invoices if each.status != "draft")


def _stopped_by_stripe(life: Life, subscription: Subscription) -> bool:
    return _unpaid_since(life, subscription, _stops_of_stripe(life, subscription))


def _stopped_unpaid(life: Life, subscription: Subscription) -> bool:
    """Whether Stripe has stopped it for want of payment, or we have, and no money has come since."""
    taken = [
        int(case.taken_at.timestamp())
        for case in life.account.cases.values()
        if case.subscription == subscription.id and case.taken_at
    ]
    return _unpaid_since(life, subscription, [*_stops_of_stripe(life, subscription), *taken])


def _stops_of_stripe(life: Life, subscription: Subscription) -> list[int]:
    return [
        event.created
        for event in life.story.engine.events("customer.subscription.updated")
        if isinstance(event.subject, Subscription) and event.subject.id == subscription.id
        if event.subject.status == "unpaid" or str(event.subject.paused_for).endswith("_payment_failure")
    ]


def _unpaid_since(life: Life, subscription: Subscription, stops: list[int]) -> bool:
    paid = [each.paid_at for each in life.story.engine.invoices(subscription) if each.paid_at]
    return bool(stops) and max(paid, default=0) < max(stops)
