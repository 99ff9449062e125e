"""Customers who were there before us: when they first hear of us, and what they keep meanwhile."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.account import Account
from dunning.case import settle
from dunning.events import CustomerFact
from dunning.fold import empty, fold
from dunning.plan import plan
from dunning.policy import Policy
from dunning.steps import Kind
from dunning.takeover import begun_before_us, first_contact_at, take_over
from dunning.taking import live
from tests.dunning import promises
from tests.dunning.builders import (
    CUSTOMER,
    DAY0,
    POLICY,
    account,
    charge,
    customer,
    day,
    failures,
    keys,
    policy,
    step,
    subscription,
    the_case,
    why,
)
from tests.dunning.deeds import Action, act
from tests.dunning.life import Life
from tests.dunning.more_builders import card
from tests.dunning.stories import Setting, Story
from tests.dunning.strategies import courses, deeds, examples, policies, sayings, settings_of, waits

DAY = timedelta(days=1)
# A first payment is held open for hours only, and that access has ended is news at once.
SPREAD = {"payment_failed", "final_warning", "retry", "high_value", "fraud", "last_call"}


@examples(30)
@given(
    setting=settings_of,
    policy=policies,
    before=st.lists(waits | deeds, max_size=6),
    course=courses(deeds, sayings, most=12),
    seed=st.integers(0, 2**32),
)
def test_every_promise_is_kept_for_who_was_there_before_us(
    setting: Setting, policy: Policy, before: list[Action], course: list[Action], seed: int
) -> None:
    """A life that nobody has told us of is taken over as it stands, and goes on in disorder."""
    story = Story(setting)
    story.wait(31.5)
    for action in before:
        act(story, action)
    life = Life(story, policy, Random(seed), policy)  # noqa: S311  # disorder, not a secret
    life.take_over()
    begun = life.now
    found = {case.invoice: case for case in life.account.cases.values()}
    for action in course[1:]:
        life.do(action)
    promises.mails_far_enough_apart(life)
    for at, taken in life.done.steps:
        case = found.get(taken.case)
        if case is None:
            continue
        if taken.name in SPREAD and case.first_contact_at:
            assert at >= case.first_contact_at, f"{taken.key} came before its time"
        if taken.kind is Kind.ACCESS:
            assert at >= begun + 3 * DAY, "access was taken within three days of the takeover"
        if taken.key.startswith("access:"):
            assert at >= begun + 4 * DAY + policy.final_warnings[0], "taken before everything was told"


@examples(15)
@given(setting=settings_of, policy=policies, before=st.lists(waits, max_size=4), seed=st.integers(0, 2**32))
def test_who_never_pays_is_not_forgotten_after_a_takeover(
    setting: Setting, policy: Policy, before: list[Action], seed: int
) -> None:
    """In the end access has ended, or a person was called about it."""
    refused = tuple(answer for answer in setting.answers if answer != "ok") or ("do_not_honor",)
    story = Story(replace(setting, answers=("ok", *refused)))
    story.wait(31.5)
    for action in before:
        act(story, action)
    life = Life(story, policy, Random(seed), policy)  # noqa: S311  # disorder, not a secret
    life.take_over()
    life.do(("wait", 75.0))
    life.hear_everything()
    for _ in range(3):
        life.enact()
        life.carry_out(("sent",))
    if list(life.account.open_cases()):
        ended = plan(life.account, life.history, policy, life.now).access.level in ("limited", "revoked")
        assert ended or any(taken.kind is Kind.TEAM for _, taken in life.done.steps)


def of(*facts: CustomerFact | list[CustomerFact], at: float, rules: Policy = POLICY) -> Account:
    """The account as it is taken over on a day after the first failure."""
    told = [fact for each in facts for fact in (each if isinstance(each, list) else [each])]
    return take_over(empty("stripe", CUSTOMER), told, rules, day(at))


def lived(known: Account, at: float, rules: Policy) -> list[tuple[float, str]]:
    """(day, key) of all that is done about it from the takeover on, if nobody pays."""
    moments = live(known, {}, rules, day(at))
    return [(round((step.due_at - DAY0) / DAY, 1), step.key) for each in moments for step in each.taken]


def renamed(known: Account, ref: str) -> Account:
    """The same account of another customer."""
    return replace(known, customer=replace(known.customer, ref=ref))


def test_a_case_whose_grace_is_over_is_told_then_warned_and_only_then_ends() -> None:
    """Forty days after the first failure: a mail within three days, a warning four later, then 72 hours."""
    rules = policy(limited_after=10 * DAY)
    known = of(failures(0, 3, 5, 7), at=40, rules=rules)
    contact = (the_case(known).first_contact_at or DAY0) - day(40)
    assert timedelta(0) <= contact < 3 * DAY
    told = [(round(at - 40 - contact / DAY, 1), key) for at, key in lived(known, 40, rules)]
    assert told[:6] == [
        (0.0, "payment_failed:in_1:3"),
        (3.0, "restriction:in_1"),
        (4.0, "final_warning:in_1:72h"),
        (6.0, "final_warning:in_1:24h"),
        (7.0, "access:in_1:revoked"),
        (7.0, "access_ended:in_1"),
    ]


def test_a_case_with_time_left_keeps_its_deadline() -> None:
    """Two days after the failure, of fourteen: dated from the failure, and nothing is granted."""
    known = of(failures(0), at=2)
    assert the_case(known).opened_at == DAY0
    assert the_case(known).grace == POLICY.grace


def test_mails_that_are_past_are_not_sent_three_at_once() -> None:
    """Of three rungs that have passed only the newest is told, and not before its time."""
    known = of(failures(0, 3, 7), at=9)
    mails = [key for _, key in lived(known, 9, POLICY) if key.startswith("payment_failed")]
    assert mails == ["payment_failed:in_1:3"]


def test_calls_that_were_due_before_the_takeover_are_not_made() -> None:
    """Three charges have failed and a week has passed: the import counts those; the last call still comes."""
    rules = Policy()
    known = of(failures(0, 3, 5, 7), at=12, rules=rules)
    found = plan(known, {}, rules, day(12))
    assert why(found, "escalation:in_1:attempts") == "it was due before the case was taken over"
    assert why(found, "escalation:in_1:unresolved") == "it was due before the case was taken over"
    assert "escalation:in_1:last_call" in keys(found)


def test_a_charge_that_fails_after_the_takeover_calls_as_ever() -> None:
    """The third failure came after us, so that the call for it is ours."""
    before = of(failures(0, 3), at=5)
    after = settle(fold(before, *failures(0, 3, 9)), POLICY)
    found = step(plan(after, {}, POLICY, day(9)), "escalation:in_1:attempts")
    assert found is not None
    assert found.due_at == day(9)


def test_fraud_and_large_invoices_call_a_person_when_their_turn_comes() -> None:
    """Nobody else tells of those, so that each is called about, spread like the mails."""
    rules = policy(high_value={"usd": 1000})
    known = of(failures(0, code="fraudulent"), at=20, rules=rules)
    found = plan(known, {}, rules, day(20))
    contact = the_case(known).first_contact_at
    calls = [step(found, f"escalation:in_1:{name}") for name in ("fraud", "high_value")]
    assert [each.due_at for each in calls if each] == [contact, contact]


@pytest.mark.parametrize("status", ["canceled", "unpaid"])
def test_what_the_provider_had_ended_is_told_to_nobody(status: str) -> None:
    """Access ended long before us, by somebody who has told of it."""
    ended = subscription(9, status, ended_at=day(9), ended_for="payment_failed")
    known = of(failures(0, 3, 7), ended, at=30)
    found = plan(known, {}, POLICY, day(30))
    assert (found.steps, found.access.level) == ((), "revoked")
    assert why(found, "access_ended:in_1") == "the provider had ended it before the case was taken over"


def test_what_the_provider_ends_after_the_takeover_is_told() -> None:
    """It was past due when we came, and `unpaid` a day later."""
    known = of(failures(0, 3, 7), at=9)
    later = settle(fold(known, subscription(10, "unpaid")), POLICY)
    assert "access_ended:in_1" in keys(plan(later, {}, POLICY, day(10)))


def test_a_first_payment_hears_of_what_is_still_to_come() -> None:
    """Two of the three reminders are past: somebody else has shown the customer that it failed."""
    first = failures(0, billing_reason="subscription_create")
    known = of(first, subscription(0.01, "incomplete"), at=0.25)
    mails = keys(plan(known, {}, POLICY, day(0.25)))
    assert mails == ["first_payment:in_1:3"]


def test_an_older_failure_that_is_learned_later_moves_no_deadline() -> None:
    """The end that was stamped at the takeover stays."""
    known = of(failures(3, 5), at=40)
    later = settle(fold(known, charge(0)), POLICY)
    assert the_case(later).opened_at == DAY0
    assert the_case(later).grace_ends_at == the_case(known).grace_ends_at


def test_first_mails_are_spread_evenly_over_three_days_of_waking_hours() -> None:
    """Of nine hundred customers each of three days has about a third, and nobody is woken up."""
    rules = Policy()
    known = account(failures(0))
    friday_evening = datetime(2026, 3, 6, 19, tzinfo=UTC)
    times = [first_contact_at(renamed(known, f"cus_{n}"), rules, friday_evening) for n in range(900)]
    hours = Counter((at.date(), at.hour) for at in times)
    assert all(9 <= at.hour < 20 for at in times)
    assert friday_evening <= min(times)
    assert max(times) < friday_evening + 3 * DAY
    assert max(hours.values()) < 50  # of 900 in 33 hours


def test_last_calls_about_many_cases_are_not_made_at_once() -> None:
    """Their access ends together on the Monday after a weekend; the team hears of them one by one."""
    rules = Policy()
    calls = set()
    for number in range(30):
        failed = [replace(fact, customer=f"cus_{number}") for fact in failures(0, 3, 7)]
        known = take_over(empty("stripe", f"cus_{number}"), failed, rules, day(40))
        found = step(plan(known, {}, rules, day(40)), "escalation:in_1:last_call")
        assert found is not None
        assert found.due_at >= (the_case(known).first_contact_at or day(99))
        calls.add(found.due_at)
    assert len(calls) == 30


def test_nothing_is_told_ahead_of_a_renewal_before_the_first_contact() -> None:
    """A card expires and the charge is near: that too waits for the customer's place in the three days."""
    expiring = card(0, 3, 2026)
    renewing = subscription(0, "active", period_end=day(40), payment_method="pm_1")
    known = of(customer(0), renewing, expiring, at=30)
    (found,) = plan(known, {}, POLICY, day(30)).steps
    assert found.name == "card_expiring"
    assert found.due_at == known.customer.first_contact_at


def test_a_second_import_changes_nothing() -> None:
    """Read again ten days later, everything stands where the first import has put it."""
    known = of(customer(0), failures(0, 3, 7), at=9)
    assert take_over(known, failures(0, 3, 7), POLICY, day(19)) == known


def test_an_event_that_overtakes_the_import_tells_of_no_new_case() -> None:
    """It speaks of what had failed before the import began, so that nothing is told at once."""
    nobody = empty("stripe", CUSTOMER)
    heard = settle(fold(nobody, *failures(0, 3, 30)), POLICY)
    known = begun_before_us(nobody, heard, POLICY, day(30), switched_on_at=day(29))
    assert the_case(known) == the_case(of(failures(0, 3, 30), at=30))
    new = settle(fold(nobody, *failures(29.5)), POLICY)
    assert begun_before_us(nobody, new, POLICY, day(30), switched_on_at=day(29)) == new
