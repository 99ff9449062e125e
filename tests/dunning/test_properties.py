"""Whatever Stripe tells, in whatever order and how often: one account, one plan, and every promise kept.

PROPERTY_EXAMPLES in the environment asks for more examples than a push can wait for, with another seed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dunning.account import Account
from dunning.case import settle
from dunning.events import CustomerFact, InvoiceSeen
from dunning.fold import empty, fold
from dunning.plan import plan
from dunning.policy import Policy
from dunning.steps import Kind
from sandbox.stripe.records import Subscription
from tests.dunning.life import Life
from tests.dunning.stories import ACTIONS, DAY, START, Action, Setting, Story

POLICY = Policy()
EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "0"))

Fold = Callable[[Account, CustomerFact], Account]


def examples(number: int) -> settings:
    """So many, always the same; or as many new ones as the environment asks for."""
    return settings(
        max_examples=EXAMPLES or number,
        derandomize=not EXAMPLES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


answers = st.sampled_from(
    [
        "insufficient_funds",
        "stolen_card",
        "processing_error",
        "requires_action",
        "authentication_required",
        "ok",
    ]
)
stories_of = st.builds(
    Setting,
    interval=st.sampled_from(["week", "month"]),
    delays=st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple),
    # Only `past_due` leaves the end of access to us.
    at_end=st.sampled_from(["past_due", "past_due", "past_due", "cancel", "unpaid", "pause"]),
    automations=st.booleans(),
    answers=st.lists(answers, min_size=1, max_size=3).map(lambda later: ("ok", *later)),
    old_shape=st.booleans(),
)
# Time passes more often than anything else happens, and often enough to see a grace end.
waits = st.tuples(st.just("wait"), st.sampled_from([0.5, 1.0, 3.0, 5.0, 8.0]))
deeds = st.tuples(st.sampled_from(sorted(set(ACTIONS) - {"wait"})), st.integers(0, 3).map(float))
courses: st.SearchStrategy[list[Action]] = st.lists(
    waits | waits | waits | deeds, min_size=8, max_size=16
).map(lambda actions: [("wait", 31.5), *actions])


def facts_of(setting: Setting, course: list[Action]) -> tuple[Story, list[CustomerFact]]:
    """Everything Stripe tells of a life, in its order."""
    story, told = Story(setting), []
    for action in course:
        story.act(action)
        told += [fact for said in story.tell() for fact in said]
    return story, told


def told_in(facts: list[CustomerFact], customer: str, step: Fold) -> Account:
    account = empty("stripe", customer)
    for fact in facts:
        account = step(account, fact)
    return account


@examples(60)
@given(setting=stories_of, course=courses, seed=st.integers(0, 2**32))
def test_class_5_any_order_and_any_duplicates_give_one_account(
    setting: Setting, course: list[Action], seed: int
) -> None:
    """The mirror, the cases and the plan are functions of the set of facts."""
    story, facts = facts_of(setting, course)
    random = Random(seed)  # noqa: S311  # disorder, not a secret
    disorder = facts + random.sample(facts, len(facts) // 2)
    random.shuffle(disorder)
    calm = settle(told_in(facts, story.customer.id, fold), POLICY)
    shuffled = settle(told_in(disorder, story.customer.id, fold), POLICY)
    assert shuffled == calm
    for days in (1, 30, 45, 90):
        now = START + days * DAY
        assert plan(shuffled, {}, POLICY, now) == plan(calm, {}, POLICY, now)


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
    @given(setting=stories_of, course=courses, seed=st.integers(0, 2**32))
    def holds(setting: Setting, course: list[Action], seed: int) -> None:
        story, facts = facts_of(setting, course)
        disorder = list(facts)
        Random(seed).shuffle(disorder)  # noqa: S311  # as above
        calm = told_in(facts, story.customer.id, last_writer_wins)
        assert told_in(disorder, story.customer.id, last_writer_wins) == calm

    with pytest.raises(AssertionError):
        holds()


MAIL_ANSWERS = ("sent",) * 6 + ("failed", "unknown", "pending")


def day_by_day(action: Action) -> list[Action]:
    name, days = action
    return [(name, 1.0)] * int(days) if name == "wait" and days > 1 else [action]


def live(setting: Setting, course: list[Action], seed: int) -> Life:
    """Play it day by day: events up to three days late, some of them twice, mails and Stripe failing."""
    random = Random(seed)  # noqa: S311  # as above
    life = Life(Story(setting))

    def delay() -> float:
        return random.choice((0.0, 0.0, 0.0, 0.5, random.uniform(0, 3)))

    for step in (step for action in course for step in day_by_day(action)):
        life.story.act(step)
        life.hear(delay() for _ in iter(int, 1))
        if life.waiting and random.random() < 0.3:
            life.waiting.append((life.story.now, random.choice(life.waiting)[1]))
        life.deliver()
        for _ in range(random.choice((0, 1, 1, 2))):
            life.enact(stripe_answers=random.random() < 0.8)
            life.send(random.choice(MAIL_ANSWERS) for _ in iter(int, 1))
    return life


@examples(60)
@given(setting=stories_of, course=courses, seed=st.integers(0, 2**32))
def test_every_promise_is_kept_through_a_disorderly_life(
    setting: Setting, course: list[Action], seed: int
) -> None:
    """No step twice, no mail after the payment, no access taken unwarned, paid or early: see `Life`."""
    life = live(setting, course, seed)
    life.deliver(everything=True)
    life.enact()
    told_at_once = settle(replace(life.account, cases={}), POLICY)
    for ref, case in life.account.cases.items():
        assert (case.opened_at, case.grace, case.outcome) == (
            told_at_once.cases[ref].opened_at,
            told_at_once.cases[ref].grace,
            told_at_once.cases[ref].outcome,
        )


@examples(40)
@given(setting=stories_of, seed=st.integers(0, 2**32))
def test_class_29_who_never_pays_is_not_forgotten(setting: Setting, seed: int) -> None:
    """Whatever arrives late or fails: in the end access is gone, or a person was called about it."""
    refused = tuple(answer for answer in setting.answers if answer != "ok") or ("do_not_honor",)
    life = live(replace(setting, answers=("ok", *refused)), [("wait", 62.0)], seed)
    life.deliver(everything=True)
    for _ in range(2):
        life.enact()
        life.send(iter(lambda: "sent", ""))
    access = plan(life.account, life.history, POLICY, life.story.now).access
    called = {step.name for _, step in life.taken if step.kind is Kind.TEAM}
    assert access.level == "revoked" or called & {"unwarned", "undeliverable"}


@examples(60)
@given(setting=stories_of, course=courses, seed=st.integers(0, 2**32))
def test_class_35_money_and_access_agree_in_the_end(
    setting: Setting, course: list[Action], seed: int
) -> None:
    """Who has paid is not locked out (class 16); who was stopped without money is not let in (class 17)."""
    life = live(setting, course, seed)
    life.deliver(everything=True)
    now = life.story.now + timedelta(seconds=1)
    found = plan(life.account, life.history, POLICY, now).access
    customer = life.story.engine.refresh(life.story.customer)
    bought = [life.story.engine.get(Subscription, each.id) for each in life.story.subscriptions]
    if customer.deleted or all(each.ended or _stopped_unpaid(life, each) for each in bought):
        assert found.level == "revoked"
    elif any(each.status in ("active", "trialing") and _all_paid(life, each) for each in bought):
        assert found.level == "full"


def _all_paid(life: Life, subscription: Subscription) -> bool:
    invoices = life.story.engine.invoices(subscription)
    return all(each.status == "paid" for each in invoices if each.status != "draft")


def _stopped_unpaid(life: Life, subscription: Subscription) -> bool:
    """Whether Stripe has stopped it for want of payment, or we have, and no money has come since."""
    stops = [
        event.created
        for event in life.story.engine.events("customer.subscription.updated")
        if isinstance(event.subject, Subscription) and event.subject.id == subscription.id
        if event.subject.status == "unpaid" or str(event.subject.paused_for).endswith("_payment_failure")
    ]
    stops += [
        int(case.taken_at.timestamp())
        for case in life.account.cases.values()
        if case.subscription == subscription.id and case.taken_at
    ]
    paid = [each.paid_at for each in life.story.engine.invoices(subscription) if each.paid_at]
    return bool(stops) and max(paid, default=0) < max(stops)
