"""What one field of a policy changes, and that nothing changes without one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.account import Account
from dunning.comparison import Comparison, Difference, Totals, changes, largest
from dunning.declines import Category
from dunning.defaults import default_book
from dunning.events import CustomerFact
from dunning.fold import fold
from dunning.hindsight import Hindsight
from dunning.instructions import Instruction, Verb
from dunning.policy import Policy
from dunning.relevance import paid_within, same_for, traits
from dunning.replay import replay
from dunning.segments import Match, PolicyBook, Segment
from dunning.steps import Kind
from tests.dunning.builders import (
    INVOICE,
    POLICY,
    SUBSCRIPTION,
    customer,
    day,
    failures,
    invoice,
    method,
    mirror,
    paid,
    subscription,
)
from tests.dunning.deeds import Action
from tests.dunning.stories import Setting
from tests.dunning.strategies import courses, deeds, examples, policies, settings_of
from tests.dunning.test_properties import facts_of, told_in

UNPAID = [customer(), *failures(0, 3, 8)]
HARD = [customer(), *failures(0, code="stolen_card")]
ONCE = [customer(), *failures(0)]
ANNUAL = [*UNPAID, subscription(8.1, interval="year")]
PAID = [*UNPAID[:-5], paid(5), subscription(5, "active")]
FIRST = [customer(), *failures(0, billing_reason="subscription_create"), subscription(0.1, "incomplete")]
BACK = [
    *UNPAID,
    subscription(8.5, "canceled", ended_at=day(8.5), ended_for="payment_failed"),
    subscription(9, "active", ref="sub_2", follows=SUBSCRIPTION),
    paid(9, ref="in_2", subscription="sub_2", billing_reason="subscription_create"),
]
WAITS = {"last_call": "72h", "high_value": {"usd": 100}}

# (what is changed, whose life it is, what the policy was before, what differs: the day it is taken, or by how
# many days it moves)
ONE_FIELD: list[tuple[dict[str, Any], list[CustomerFact], dict[str, Any], dict[str, Any]]] = [
    (
        {"grace": "15d"},
        UNPAID,
        {},
        {"final_warning:72h": "+1", "final_warning:24h": "+1", "access:revoked": "+1", "access_ended": "+1"},
    ),
    ({"grace": "15d"}, PAID, {}, {}),
    (
        {"grace_from": "final_failure"},
        UNPAID,
        {},
        {"final_warning:72h": "+8", "final_warning:24h": "+8", "access:revoked": "+8", "access_ended": "+8"},
    ),
    ({"limited_after": "10d"}, UNPAID, {}, {"restriction": "comes on 10"}),
    ({"limited_after": "10d"}, PAID, {}, {}),
    (
        {"at_expiry": "limited"},
        UNPAID,
        {},
        {"access:limited": "comes on 14", "access:revoked": "goes from 14"},
    ),
    ({"end_action": "cancel"}, UNPAID, {}, {"end:cancel": "comes on 14"}),
    (
        {"revocation_hours": "mon-thu 09:00-15:00"},
        UNPAID,
        {},
        {"final_warning:72h": "+1", "final_warning:24h": "+1", "access:revoked": "+1", "access_ended": "+1"},
    ),
    (
        {"time_zone": "Asia/Tokyo"},
        UNPAID,
        {"revocation_hours": "daily 10:00-15:00"},
        # From ten in London to ten in Tokyo, where it is too late on that day.
        {
            "final_warning:72h": "+0.625",
            "final_warning:24h": "+0.625",
            "access:revoked": "+0.625",
            "access_ended": "+0.625",
        },
    ),
    (
        {"holidays": ["2026-03-15"]},
        UNPAID,
        {"revocation_hours": "daily 09:00-15:00"},
        # A day before the end is the holiday: the reminder comes on the evening before.
        {
            "final_warning:72h": "+1",
            "final_warning:24h": "+0.6243",
            "access:revoked": "+1",
            "access_ended": "+1",
        },
    ),
    ({"final_warnings": ["72h"]}, UNPAID, {}, {"final_warning:24h": "goes from 13"}),
    (
        {"final_warnings": ["96h", "24h"]},
        UNPAID,
        {},
        {"final_warning:96h": "comes on 10", "final_warning:72h": "goes from 11"},
    ),
    (
        {"ladder": {"insufficient_funds": ["0d", "4d", "9d"]}},
        UNPAID,
        {},
        {"payment_failed:1": "-1", "payment_failed:3": "+1"},
    ),
    ({"ladder": {"expired_card": []}}, UNPAID, {}, {}),
    ({"pay_on_new_method": True}, [*UNPAID, method(9)], {}, {"retry:method:20260310T090000": "comes on 9"}),
    ({"pay_on_new_method": True}, UNPAID, {}, {}),
    (
        {"first_payment_mails": ["30min", "4h"]},
        FIRST,
        {"mail_gap": "0d"},
        {"first_payment:1": "+0.0104", "first_payment:3": "goes from 0.75"},
    ),
    ({"mail_gap": "5d"}, UNPAID, {}, {"payment_failed:2": "+2", "payment_failed:3": "goes from 8"}),
    ({"most_mails": 5}, UNPAID, {}, {"payment_failed:3": "goes from 8"}),
    (
        {"mail_hours": "daily 10:00-20:00"},
        PAID,
        {},
        {"payment_failed:1": "+0.0417", "payment_failed:2": "+0.0417"},
    ),
    ({"escalate_after": 2}, UNPAID, {}, {"attempts": "-5"}),
    ({"unresolved_after": "7d"}, UNPAID, {}, {"unresolved": "comes on 7"}),
    ({"blocked_after": "3d"}, HARD, {}, {"blocked": "comes on 3"}),
    ({"blocked_after": "3d"}, UNPAID, {}, {}),
    ({"last_call": "72h"}, UNPAID, {}, {"last_call": "comes on 11"}),
    ({"high_value": {"usd": 1900}}, UNPAID, {}, {"high_value": "comes on 0"}),
    ({"high_value": {"usd": 1901}}, UNPAID, {}, {}),
    ({"annual_is_high_value": True}, ANNUAL, {}, {"high_value": "comes on 0"}),
    (
        {"acknowledge_high_value": False},
        UNPAID,
        WAITS,
        {
            "access:revoked": "comes on 14",
            "access_ended": "comes on 14",
            "reminder:1": "goes from 16",
            "reminder:2": "goes from 19",
            "reminder:3": "goes from 24",
        },
    ),
    ({"most_reminders": 1}, UNPAID, {}, {"reminder:1": "comes on 11"}),
    ({"remind_after": 5}, UNPAID, {"most_reminders": 1}, {"reminder:1": "+4"}),
    (
        {"retries": "worker"},
        ONCE,
        {"retry": {"insufficient_funds": ["2d", "4d"]}},
        {"retry:1": "comes on 2.9583", "retry:2": "comes on 4.9583"},
    ),
    ({"retry": {"insufficient_funds": ["1d"]}}, ONCE, {}, {}),
    ({"unpaid_on_return": "void"}, BACK, {}, {"end:void": "comes on 9"}),
    ({"unpaid_on_return": "void"}, UNPAID, {}, {}),
    # Nothing of a case that was lived to its end depends on these.
    ({"promise_within": "5d"}, UNPAID, {}, {}),
    ({"extension": "3d"}, UNPAID, {}, {}),
    ({"card_expiry_notice": []}, UNPAID, {}, {}),
    ({"renewal_notice": []}, ANNUAL, {}, {}),
    ({"receipt_within": "1d"}, PAID, {}, {}),
]


def rules(**fields: Any) -> Policy:
    """The plain policy of the tests with some fields of its own."""
    return Policy.model_validate(POLICY.model_dump() | fields)


def difference(known: Account, old: dict[str, Any], new: dict[str, Any]) -> Difference:
    return Comparison(rules(**old), rules(**(old | new))).of(known)


def in_words(found: Difference) -> dict[str, str]:
    """Step without its invoice -> what becomes of it, in days from the first failure."""
    words = {}
    for change in found.changes:
        name = change.key.replace(f":{INVOICE}", "").removeprefix("escalation:")
        days = f"{(change.at - day(0)) / timedelta(days=1):.4f}".rstrip("0").rstrip(".")
        by = f"{change.by / timedelta(days=1):+.4f}".rstrip("0").rstrip(".")
        words[name] = {"comes": f"comes on {days}", "goes": f"goes from {days}", "moves": by}[change.way]
    return words


@pytest.mark.parametrize(
    ("field", "facts", "before", "differs"),
    ONE_FIELD,
    ids=[f"{next(iter(row[0]))}-{number}" for number, row in enumerate(ONE_FIELD)],
)
def test_one_field_shows_up_as_it_must(
    field: dict[str, Any], facts: list[CustomerFact], before: dict[str, Any], differs: dict[str, str]
) -> None:
    """And as nothing else."""
    assert in_words(difference(mirror(facts), before, field)) == differs


def test_every_field_of_the_policy_is_in_the_table() -> None:
    """A new rule has to say what it changes."""
    assert {name for row in ONE_FIELD for name in row[0]} == set(Policy.model_fields) - {"key"}


def test_a_deadline_that_was_moved_moves_with_the_grace() -> None:
    """What people said holds under both policies."""
    extended = Instruction(Verb.EXTEND, day(5), "ada", "asked for it", INVOICE, span=timedelta(days=7))
    known = replace(mirror(UNPAID), instructions=(extended,))
    assert in_words(difference(known, {}, {"grace": "15d"}))["access:revoked"] == "+1"


def test_a_segment_touches_its_own_only() -> None:
    """The others get the same rules under another name, and are not even lived through."""
    old = PolicyBook(rules(key="1/base"))
    short = Segment("annual", Match(interval="year"), rules(key="2/annual", grace="10d"))
    new = PolicyBook(rules(key="2/base"), (short,))
    assert Comparison(old, new).of(mirror(UNPAID)).changes == ()
    assert "access:revoked" in in_words(Comparison(old, new).of(mirror(ANNUAL)))


def test_only_cases_since_then_count() -> None:
    """An older one is lived through, since it says what was told before, and not counted."""
    known = mirror(UNPAID, paid(12), failures(40, 43, ref="in_2"), invoice(43, ref="in_2", attempt_count=2))
    old, new = rules(), rules(escalate_after=2)
    everything = Comparison(old, new).of(known)
    assert (everything.cases, {change.case for change in everything.changes}) == (2, {"in_1", "in_2"})
    later = Comparison(old, new, since=day(20)).of(known)
    assert (later.cases, {change.case for change in later.changes}) == (1, {"in_2"})
    assert Comparison(old, new, since=day(50)).of(known) == Difference("cus_1", 0, ())


PAID_EARLY: list[tuple[dict[str, Any], dict[str, Any], float, bool]] = [
    # The first warning is three days before the end, in the waking hours before it.
    ({}, {"grace": "15d"}, 10.9, True),
    ({}, {"grace": "15d"}, 11.1, False),
    ({"mail_hours": "daily 09:00-20:00"}, {"grace": "15d"}, 10.3, True),
    ({"mail_hours": "daily 09:00-20:00"}, {"grace": "15d"}, 10.7, False),
    ({}, {"limited_after": "5d"}, 5, True),
    ({}, {"limited_after": "5d"}, 5.1, False),
    ({}, {"last_call": "5d"}, 8.9, True),
    ({}, {"last_call": "5d"}, 9.1, False),
    ({}, {"grace": "15d", "escalate_after": 1}, 1, False),
]


@pytest.mark.parametrize(("old", "new", "paid_on", "same"), PAID_EARLY)
def test_what_concerns_the_end_is_all_one_to_who_paid_before_it(
    old: dict[str, Any], new: dict[str, Any], paid_on: float, same: bool
) -> None:
    """Such a case need not be lived through; any other is."""
    account = mirror(customer(), failures(0, 0.5), paid(paid_on))
    spans = same_for(rules(**old), rules(**(old | new)), traits(account))
    assert (paid_within(account, Hindsight(account)) <= spans) is same
    told = replace(account, instructions=(Instruction(Verb.ACKNOWLEDGE, day(0), "ada", "seen", INVOICE),))
    assert paid_within(told, Hindsight(told)) == timedelta.max


def test_totals_can_be_added_up_in_parts() -> None:
    """As processes do it: the same sums, whoever added what."""
    lives = [mirror(facts) for facts in (UNPAID, HARD, ANNUAL, PAID)]
    comparison = Comparison(rules(), rules(grace="15d"))
    found = [comparison.of(known) for known in lives]
    whole, parts = Totals(), [Totals(), Totals()]
    for number, each in enumerate(found):
        whole.add(each)
        parts[number % 2].add(each)
    parts[0].join(parts[1])
    assert parts[0] == whole
    assert (whole.customers, whole.customers_touched, whole.cases, whole.cases_touched) == (4, 3, 4, 3)
    moved = whole.rows[Kind.ACCESS, "revoked"]
    assert (moved.later, moved.later_by) == (3, timedelta(days=3))
    assert len(largest(found, 2)) == 2
    assert len(largest(found, 9)) == 3


BOOK = default_book(Policy())
RENAMED = default_book(Policy(key="other"))
OTHERS = st.sampled_from(
    [
        rules(),
        Policy(grace=timedelta(days=20)),
        Policy(retries="worker", end_action="pause"),
        Policy(limited_after=None, escalate_after=1),
        *(Policy.model_validate({"ladder": {category.value: ["1d", "2d"]}}) for category in Category),
        Policy.model_validate({"retry": {"bank_declined": ["1d"]}, "high_value": {"eur": 1}}),
        Policy.model_validate({"first_payment_mails": ["1h"], "annual_is_high_value": False}),
        Policy(extension=timedelta(days=1), promise_within=None, card_expiry_notice=(), renewal_notice=()),
    ]
)


@examples(40)
@given(setting=settings_of, course=courses(deeds), other=OTHERS | policies)
def test_a_policy_differs_from_another_as_two_replays_do(
    setting: Setting, course: list[Action], other: Policy
) -> None:
    """Nothing from itself; as two replays say, with no shortcut; and what comes one way goes the other."""
    story, facts = facts_of(setting, course)
    known = told_in(facts, story.customer.id, fold)
    assert Comparison(BOOK, RENAMED).of(known).changes == ()
    assert changes(replay(known, BOOK), replay(known, RENAMED)) == ()
    assert Comparison(BOOK, other).of(known).changes == changes(replay(known, BOOK), replay(known, other))
    there, back = Comparison(BOOK, other).of(known), Comparison(other, BOOK).of(known)
    assert {(c.key, c.before, c.after) for c in there.changes} == {
        (c.key, c.after, c.before) for c in back.changes
    }
