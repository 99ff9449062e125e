"""The stages of access: limited, ended, and for whom both wait."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dunning.events import CustomerFact
from dunning.instructions import Instruction, Verb
from dunning.policy import Policy
from dunning.steps import Effect, Plan
from tests.dunning.builders import (
    SECOND,
    account,
    day,
    failures,
    invoice,
    notice_sent,
    planned,
    step,
    subscription,
    warning,
    why,
)
from tests.dunning.more_builders import after, called, policy, said

W72, W24, LIMIT, REVOKE = (
    "final_warning:in_1:72h",
    "final_warning:in_1:24h",
    "restriction:in_1",
    "access:in_1:revoked",
)
STAGES = policy(limited_after="10d")
CARE = policy(high_value={"usd": 1000}, last_call="72h")
CALL = called("last_call", 11)


def due(found: Plan, which: str) -> datetime | None:
    planned_step = step(found, which)
    return planned_step.due_at if planned_step else None


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_access_ends_to_the_second(seconds: int) -> None:
    """After grace, and 72 hours after the accepted warning."""
    for warned, ends in ((11.0, 14.0), (12.0, 15.0)):
        now = day(ends) + seconds * SECOND
        due_now = [each.key for each in planned(account(failures(0)), now, warning(warned)).due(now)]
        assert (REVOKE in due_now) is (seconds >= 0)


@pytest.mark.parametrize(
    ("told", "now", "at"),
    [
        ([], 10, None),
        ([notice_sent(0)], 1, 10),
        ([notice_sent(6.9)], 7, 10),
        ([notice_sent(8)], 9, 11),
        ([notice_sent(8, status="pending")], 9, None),
        ([notice_sent(8, status="failed")], 9, None),
        ([warning(11)], 11, None),
        ([notice_sent(10.9)], 11, 13.9),
        ([notice_sent(11)], 11, None),
    ],
)
def test_access_is_limited_before_it_ends(told: list[Effect], now: float, at: float | None) -> None:
    """Of people who have known it for three days, and only if there is time before the end."""
    found = planned(account(failures(0), policy=STAGES), now, *told, policy=STAGES)
    assert due(found, LIMIT) == (None if at is None else day(at))
    if not [each for each in told if each.status == "sent"]:
        assert why(found, LIMIT) == "the customer has not been told of the failure yet"


@pytest.mark.parametrize(
    ("told", "at"),
    [
        (said(Verb.EXTEND, 3, span=timedelta(days=7)), 17),
        (said(Verb.EXTEND, 3, span=timedelta(days=1)), 11),
        (said(Verb.PAUSE, 3, until=12), 12),
        (said(Verb.PROMISE, 3, until=8), 10),
        (said(Verb.PROMISE, 3, until=11), 12),
    ],
)
def test_the_limit_moves_with_what_people_say(told: Instruction, at: float) -> None:
    """Whoever was given a week keeps everything for it."""
    known = after(account(failures(0), policy=STAGES), told, rules=STAGES)
    assert due(planned(known, 4, notice_sent(0), policy=STAGES), LIMIT) == day(at)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (
            [subscription(1, cancel_at_period_end=True)],
            "the customer has cancelled: access lasts to the end of the period",
        ),
        (
            [subscription(1, "active", ref="sub_2")],
            "the customer has another subscription that entitles them",
        ),
        (failures(1, code="fraudulent"), "it may be fraud: a person decides"),
        (failures(1, code="testmode_decline"), "the fault is on our side"),
    ],
)
def test_who_keeps_access_is_neither_warned_nor_limited(facts: list[CustomerFact], reason: str) -> None:
    """Each stage says the same."""
    found = planned(account(failures(0), facts, policy=STAGES), 5, notice_sent(0), policy=STAGES)
    assert {why(found, key) for key in (W72, W24, LIMIT, REVOKE)} == {reason}
    assert found.access.until is None


@pytest.mark.parametrize(("begun", "at"), [(None, 14), (-10, 14), (0, 14), (0.5, 14.5), (13, 27)])
def test_class_32_a_payment_on_its_way_is_waited_for(begun: float | None, at: float) -> None:
    """A bank debit is decided within two weeks; then it is forgotten."""
    since = None if begun is None else day(begun)
    known = account(failures(0), invoice(13, attempt_count=1, processing_since=since))
    assert due(planned(known, 13, warning(11)), REVOKE) == day(at)


@pytest.mark.parametrize(
    ("done", "told", "waits"),
    [
        ([CALL], [], True),
        ([], [said(Verb.ACKNOWLEDGE, 12)], True),
        ([CALL], [said(Verb.ACKNOWLEDGE, 10.9)], True),
        ([CALL], [said(Verb.ACKNOWLEDGE, 11)], False),
        ([CALL], [said(Verb.ACKNOWLEDGE, 12, case=None)], False),
        ([CALL], [said(Verb.ACKNOWLEDGE, 12, case="in_9")], True),
    ],
)
def test_a_valuable_customer_waits_for_a_person(
    done: list[Effect], told: list[Instruction], waits: bool
) -> None:
    """Who has seen the last call of three days before the end, not some call before it."""
    known = after(account(failures(0), policy=CARE), *told, rules=CARE)
    found = planned(known, 13, warning(11), *done, policy=CARE)
    reason = "a person has to acknowledge the last call first: this is a valuable customer"
    assert why(found, REVOKE) == (reason if waits else None)


@pytest.mark.parametrize(
    "rules",
    [
        policy(CARE, acknowledge_high_value=False),
        policy(CARE, last_call="never"),
        policy(CARE, high_value={"usd": 1901}),
        policy(CARE, high_value={"eur": 1}),
    ],
)
def test_who_is_not_valuable_waits_for_nobody(rules: Policy) -> None:
    """The invoice is 1900 cents; a policy may not want to wait."""
    found = planned(account(failures(0), policy=rules), 13, warning(11), policy=rules)
    assert due(found, REVOKE) == day(14)
