"""A replay is what the worker would have done, and nothing that was not known yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.account import Account
from dunning.case import settle
from dunning.events import CustomerFact
from dunning.fold import empty, fold
from dunning.hindsight import Hindsight
from dunning.instructions import Instruction, Verb
from dunning.policy import Policy
from dunning.replay import HORIZON, replay
from dunning.segments import Match, PolicyBook, Segment
from dunning.steps import Effect, Kind
from dunning.taking import take_due
from tests.dunning.builders import (
    INVOICE,
    POLICY,
    charge,
    customer,
    day,
    failed,
    failures,
    invoice,
    ledger,
    mirror,
    paid,
    subscription,
    voided,
)
from tests.dunning.deeds import Action, act
from tests.dunning.stories import START, Setting, Story
from tests.dunning.strategies import courses, deeds, examples, settings_of
from tests.dunning.test_properties import facts_of, told_in


def told(known: Account, *said: Instruction) -> Account:
    """The same account after people have said something."""
    return replace(known, instructions=said)


def taken(known: Account, policy: Policy = POLICY) -> list[tuple[str, float]]:
    """(step without its invoice, day) of everything a replay does."""
    return [
        (step.key.replace(f":{INVOICE}", ""), (step.due_at - day(0)) / timedelta(days=1))
        for step in replay(known, policy)
    ]


def test_a_case_is_lived_to_its_end() -> None:
    """Mails, the call after three charges, warnings, the end of access: each on its day."""
    assert taken(mirror(customer(), failures(0, 3, 8))) == [
        ("payment_failed:1", 1),
        ("payment_failed:2", 4),
        ("escalation:attempts", 8),
        ("payment_failed:3", 8),
        ("final_warning:72h", 11),
        ("final_warning:24h", 13),
        ("access:revoked", 14),
        ("access_ended", 14),
    ]


ENDS: list[tuple[str, list[CustomerFact], list[str]]] = [
    ("paid", [paid(5), subscription(5, "active")], ["payment_failed:1", "payment_failed:2", "recovered"]),
    ("void", [voided(5)], ["payment_failed:1", "payment_failed:2"]),
    (
        "cancelled for want of payment",
        [subscription(5, "canceled", ended_at=day(5), ended_for="payment_failed")],
        ["payment_failed:1", "payment_failed:2", "access_ended"],
    ),
]


@pytest.mark.parametrize(("facts", "done"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_an_end_counts_from_when_it_was_known(facts: list[CustomerFact], done: list[str]) -> None:
    """Until then the case is dunned like any other, and what closes it comes after."""
    assert [key for key, _ in taken(mirror(customer(), failures(0, 3), facts))] == done


def test_charges_are_known_from_their_own_time_on() -> None:
    """The team is called at the third charge, whatever the count says today; later reasons come later."""
    known = mirror(
        customer(), failures(0, 3), charge(5, "expired_card"), failed(5, 3), ledger(3), failed(9, 7)
    )
    done = dict(taken(known))
    assert done["escalation:attempts"] == 5
    # As long as money was wanting, the first mail waited for a day; then the card had to be told of, and
    # between two mails are two days.
    assert done["payment_failed:1"] == 1
    assert done["payment_failed:new_reason"] == 6


def test_what_people_said_counts_from_then_on() -> None:
    """A pause on day 5 holds back what is due after it, and nothing of before."""
    known = mirror(customer(), failures(0, 3))
    pause = Instruction(Verb.PAUSE, day(5), "ada", "on holiday", INVOICE, until=day(30))
    paused = dict(taken(told(known, pause)))
    assert paused["payment_failed:2"] == 4
    assert "payment_failed:3" not in paused
    assert paused["access:revoked"] == 33
    forgiven = Instruction(Verb.FORGIVE, day(6), "ada", "our fault", INVOICE)
    assert [key for key, _ in taken(told(known, forgiven))] == ["payment_failed:1", "payment_failed:2"]


def test_the_policy_is_chosen_when_the_case_opens() -> None:
    """By what was owed then, not by what is left now; not the one the case was opened with in truth."""
    large = Policy.model_validate(POLICY.model_dump() | {"key": "v/large", "grace": timedelta(days=30)})
    book = PolicyBook(POLICY, (Segment("large", Match(currency="usd", amount_at_least=5_000), large),))
    facts = [customer(), *failures(0, amount_remaining=9_000), paid(40, amount=9_000)]
    stored = settle(mirror(facts), POLICY)
    assert [step.due_at for step in replay(stored, book) if step.kind is Kind.ACCESS] == [day(30)]


def test_an_open_case_ends_at_the_horizon() -> None:
    """Reminders of a person who never answers do not go on for ever, nor does anything else."""
    waits = Policy.model_validate(
        POLICY.model_dump() | {"last_call": "72h", "high_value": {"usd": 100}, "most_reminders": 1}
    )
    done = taken(mirror(customer(), failures(0)), waits)
    assert [key for key, _ in done if "reminder" in key] == [f"escalation:reminder:{n}" for n in (1, 2, 3)]
    assert max(at for _, at in done) <= HORIZON / timedelta(days=1)


def test_status_follows_from_what_is_known_to_have_happened() -> None:
    """Past due while it failed, active once paid, unpaid from the stop on, gone from its end on."""
    facts = [customer(), failures(0, 3), paid(5), subscription(9, "active")]
    past = Hindsight(mirror(*facts))
    assert [past.at(day(at)).subscriptions["sub_1"].status for at in (0, 4, 5, 9)] == [
        "past_due",
        "past_due",
        "active",
        "active",
    ]
    stopped = Hindsight(
        mirror(customer(), failures(0, 3), subscription(7, "unpaid"), subscription(8, "unpaid"), ledger(2))
    )
    assert [stopped.at(day(at)).subscriptions["sub_1"].status for at in (6, 8)] == ["past_due", "unpaid"]


def test_nobody_failed_nothing_is_done() -> None:
    """An account without a failure, and an invoice that is sent for payment by hand."""
    assert replay(mirror(customer(), subscription(0, "active")), POLICY) == ()
    by_hand = mirror(customer(), invoice(0, collection_method="send_invoice"), failed(0))
    assert replay(by_hand, POLICY) == ()


@examples(25)
@given(setting=settings_of, course=courses(deeds))
def test_a_replay_is_a_function_of_what_is_known(setting: Setting, course: list[Action]) -> None:
    """Twice the same, whatever cases were stored, each step once, and mails only while they make sense."""
    story, facts = facts_of(setting, course)
    known = told_in(facts, story.customer.id, fold)
    steps = replay(known, Policy())
    assert replay(settle(known, POLICY), Policy()) == steps
    assert len({step.key for step in steps}) == len(steps)
    assert [step.due_at for step in steps] == sorted(step.due_at for step in steps)
    for step in steps:
        paid_at = known.invoices[step.case].paid_at
        if paid_at and step.kind is Kind.MAIL and step.name != "payment_recovered":
            assert step.due_at < paid_at


@examples(15)
@given(
    answer=st.sampled_from(["insufficient_funds", "do_not_honor", "expired_card", "processing_error"]),
    delays=st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple),
    pays_after=st.integers(0, 25),
)
def test_a_replay_is_what_was_done_where_everything_went_well(
    answer: str, delays: tuple[int, ...], pays_after: int
) -> None:
    """News come at once, mails are accepted, Stripe answers: then the past repeats itself, hour by hour."""
    story, policy = Story(Setting(delays=delays, answers=("ok", answer))), Policy()
    account, history = empty("stripe", story.customer.id), dict[str, Effect]()
    done: list[tuple[str, datetime]] = []
    for hour in range((31 + 18) * 24):
        story.wait_until(START + timedelta(hours=hour))
        if hour == (31 + pays_after) * 24 + 12:
            act(story, ("pay by hand", 0))
        account = settle(fold(account, *(fact for said in story.tell() for fact in said)), policy)
        moment = take_due(account, history, policy, story.now, lambda *_: True, accepted=True)
        account = moment.account
        done += [(step.key, story.now) for step in moment.taken]
    then = [(step.key, step.due_at) for step in replay(account, policy) if step.due_at <= story.now]
    assert sorted(key for key, _ in then) == sorted(key for key, _ in done)
    at = dict(then)
    assert all(timedelta(0) <= moment - at[key] <= timedelta(hours=1) for key, moment in done)
