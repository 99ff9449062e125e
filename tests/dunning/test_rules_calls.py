"""Calls for a person: each level once, reminders over working days, and who has seen them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.events import CustomerFact
from dunning.instructions import Instruction, Verb
from dunning.policy import Policy
from dunning.steps import Effect, Kind, Plan
from tests.dunning.builders import (
    INVOICE,
    account,
    charge,
    day,
    effect,
    failed,
    failures,
    ledger,
    notice_sent,
    planned,
    step,
    subscription,
    warning,
    why,
)
from tests.dunning.more_builders import BERLIN, after, called, local, policy, said, wall

LEVELS = policy(
    unresolved_after="7d",
    blocked_after="3d",
    last_call="72h",
    high_value={"usd": 1900},
    annual_is_high_value=True,
    acknowledge_high_value=False,
)
BLOCKED = failures(0, code="stolen_card")
ANNUAL = [*failures(0), subscription(0.1, interval="year")]


def calls(found: Plan) -> dict[str, float]:
    """Every call that is planned, and its day."""
    return {
        each.name: round((each.due_at - day(0)) / timedelta(days=1), 3)
        for each in found.steps
        if each.kind is Kind.TEAM
    }


@pytest.mark.parametrize(
    ("facts", "rules", "expected"),
    [
        (failures(0), LEVELS, {"high_value": 0, "unresolved": 7, "last_call": 11}),
        (failures(0), policy(LEVELS, high_value={"usd": 1901}), {"unresolved": 7, "last_call": 11}),
        (failures(0), policy(LEVELS, high_value={"eur": 1}), {"unresolved": 7, "last_call": 11}),
        (ANNUAL, policy(LEVELS, high_value={}), {"high_value": 0, "unresolved": 7, "last_call": 11}),
        (
            ANNUAL,
            policy(LEVELS, high_value={}, annual_is_high_value=False),
            {"unresolved": 7, "last_call": 11},
        ),
        (failures(0), policy(LEVELS, unresolved_after="never"), {"high_value": 0, "last_call": 11}),
        (failures(0), policy(LEVELS, last_call="never"), {"high_value": 0, "unresolved": 7}),
        (failures(0), policy(LEVELS, last_call="30d"), {"high_value": 0, "unresolved": 7, "last_call": 0}),
        (BLOCKED, LEVELS, {"high_value": 0, "blocked": 3, "unresolved": 7, "last_call": 11}),
        (BLOCKED, policy(LEVELS, blocked_after="never"), {"high_value": 0, "unresolved": 7, "last_call": 11}),
        (failures(0, 1, 2), LEVELS, {"high_value": 0, "attempts": 2, "unresolved": 7, "last_call": 11}),
        (failures(0, code="fraudulent"), LEVELS, {"fraud": 0, "high_value": 0, "unresolved": 7}),
        (failures(0), policy(), {}),
    ],
)
def test_the_levels_of_a_case(facts: list[CustomerFact], rules: Policy, expected: dict[str, float]) -> None:
    """By attempts, by value, by time, and by what the code forbids; "never" switches one off."""
    assert calls(planned(account(facts, policy=rules), 0, policy=rules)) == expected


@pytest.mark.parametrize(
    ("facts", "at"),
    [
        (failures(0, 1), None),
        (failures(0, 1, 2), 2),
        (failures(0, 1, 2, 3), 3),
        ([*failures(0), charge(1), charge(2)], None),
        ([*BLOCKED, failed(1, 2), failed(2, 3), ledger(3)], None),
        ([*failures(0), failed(1, 3)], 1),
    ],
)
def test_class_10_three_charges_that_really_failed(facts: list[CustomerFact], at: float | None) -> None:
    """Neither the customer's own tries nor retries only counted; what is not read yet is believed."""
    found = planned(account(facts), 4)
    assert calls(found).get("attempts") == at


def test_each_level_is_called_once() -> None:
    """Whatever became of the call."""
    known = account(failures(0, 1, 2), policy=LEVELS)
    for status in ("pending", "sent", "failed", "suppressed", "unknown"):
        done = [called(name, 0, status) for name in ("attempts", "high_value", "unresolved", "last_call")]
        assert calls(planned(known, 12, *done, warning(11), policy=LEVELS)) == {}


HOLIDAYS = policy(most_reminders=1, time_zone="Europe/Berlin", holidays=["2026-04-03", "2026-04-06"])


@pytest.mark.parametrize(
    ("at", "again"),
    [
        ("2026-03-02 10:00", "Thu 05 Mar 10:00"),
        ("2026-03-05 10:00", "Tue 10 Mar 10:00"),
        ("2026-03-06 23:30", "Wed 11 Mar 23:30"),
        ("2026-03-07 10:00", "Wed 11 Mar 10:00"),
        ("2026-04-01 10:00", "Wed 08 Apr 10:00"),
        ("2026-03-27 10:00", "Wed 01 Apr 10:00"),
    ],
)
def test_a_call_that_nobody_has_seen_is_repeated_after_three_working_days(at: str, again: str) -> None:
    """Over a weekend, over Easter, over the change of clocks."""
    moment = local(at)
    call = Effect("escalation:in_1:attempts", Kind.TEAM, "attempts", "in_1", "sent", moment, moment)
    found = step(
        planned(account(failures(0), policy=HOLIDAYS), moment, call, policy=HOLIDAYS),
        "escalation:in_1:reminder:1",
    )
    assert found is not None
    assert wall(found.due_at, BERLIN) == again


@pytest.mark.parametrize(
    ("done", "told", "rules", "again"),
    [
        ([], [], HOLIDAYS, None),
        ([called("x", 0)], [], HOLIDAYS, "reminder:1"),
        ([called("x", 0), called("reminder:1", 3)], [], HOLIDAYS, None),
        ([called("x", 0), called("reminder:1", 3)], [], policy(HOLIDAYS, most_reminders=2), "reminder:2"),
        ([called("x", 0)], [], policy(HOLIDAYS, most_reminders=0), None),
        ([called("x", 1)], [said(Verb.ACKNOWLEDGE, 1)], HOLIDAYS, None),
        ([called("x", 1)], [said(Verb.ACKNOWLEDGE, 0.9)], HOLIDAYS, "reminder:1"),
        ([called("x", 1), called("y", 3)], [said(Verb.ACKNOWLEDGE, 2)], HOLIDAYS, "reminder:1"),
        (
            [called("x", 1)],
            [said(Verb.HAND_OVER, 2, to="Grace")],
            policy(HOLIDAYS, most_reminders=0),
            "reminder:1",
        ),
        ([], [said(Verb.HAND_OVER, 2, to="Grace")], HOLIDAYS, "reminder:1"),
        ([], [said(Verb.HAND_OVER, 2, case=None, to="Grace")], HOLIDAYS, "reminder:1"),
        (
            [called("x", 1), called("reminder:7", 2)],
            [said(Verb.HAND_OVER, 2, to="Grace")],
            HOLIDAYS,
            "reminder:2",
        ),
        ([called("x", 1)], [said(Verb.STOP, 2)], HOLIDAYS, None),
    ],
)
def test_who_is_reminded(
    done: list[Effect], told: list[Instruction], rules: Policy, again: str | None
) -> None:
    """Nobody who has seen the newest call; whoever took the case over, for as long as it is open."""
    known = after(account(failures(0), policy=rules), *told, rules=rules)
    found = planned(known, 4, *done, policy=rules)
    assert [name for name in calls(found) if name.startswith("reminder")] == ([again] if again else [])


def test_an_acknowledged_call_says_so() -> None:
    """The timeline tells why nobody is called again."""
    known = after(account(failures(0), policy=HOLIDAYS), said(Verb.ACKNOWLEDGE, 2), rules=HOLIDAYS)
    found = planned(known, 3, called("attempts", 1), policy=HOLIDAYS)
    assert why(found, "escalation:in_1:reminder:1") == "somebody has acknowledged the call"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("fraudulent", "fraud"),
        ("testmode_decline", "merchant_side"),
        ("revocation_of_authorization", "consent_withdrawn"),
    ],
)
def test_some_failures_are_a_persons_from_the_first(code: str, name: str) -> None:
    """Mails cannot help."""
    assert calls(planned(account(failures(2, code=code)), 2)) == {name: 2}


def test_a_mail_that_could_not_be_delivered_calls_a_person() -> None:
    """Class 28: nobody would hear of anything."""
    found = planned(account(failures(0)), 2, notice_sent(1, status="failed"))
    assert calls(found) == {"undeliverable": 1}


def asked(kind: Kind, key: str, status: str) -> Effect:
    return effect(key, 14, status, name=key.rpartition(":")[2], kind=kind)


@pytest.mark.parametrize("status", ["failed", "unknown", "sent", "suppressed", "sending", "pending"])
@pytest.mark.parametrize("action", ["cancel", "unpaid", "pause"])
def test_an_end_that_the_provider_did_not_confirm_calls_a_person(action: str, status: str) -> None:
    """Once: access has ended, and the customer may go on being charged."""
    rules = policy(end_action=action)
    known = account(failures(0), policy=rules)
    taken = replace(known.cases[INVOICE], taken_at=day(14), taken_level="revoked")
    known = replace(known, cases={INVOICE: taken})
    ended = asked(Kind.END, f"end:in_1:{action}", status)
    called_for = {"end_unconfirmed": 14} if status in ("failed", "unknown") else {}
    assert calls(planned(known, 14.1, ended, policy=rules)) == called_for
    once = planned(known, 15, ended, called("end_unconfirmed", 14.1), policy=rules)
    assert calls(once) == {}


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("cancel", {"status": "canceled"}),
        ("unpaid", {"status": "unpaid"}),
        ("pause", {"status": "paused"}),
        ("pause", {"status": "paused", "paused_for": "pause_requested"}),
    ],
)
def test_an_end_that_came_about_all_the_same_calls_nobody(action: str, fields: dict[str, str]) -> None:
    """The news of it is the answer."""
    rules = policy(end_action=action)
    known = account(failures(0), subscription(14.1, **fields), policy=rules)
    found = planned(known, 15, asked(Kind.END, f"end:in_1:{action}", "unknown"), policy=rules)
    assert "end_unconfirmed" not in calls(found)


@pytest.mark.parametrize(
    ("status", "charged", "expected"),
    [
        ("unknown", None, {"charge_unconfirmed:1": 3}),
        ("failed", None, {"charge_unconfirmed:1": 3}),
        ("sent", None, {}),
        ("suppressed", None, {}),
        ("sending", None, {}),
        # The ledger has it, so it is known what came of it; one from before says nothing.
        ("unknown", 3.1, {}),
        ("unknown", 3, {}),
        ("unknown", 2.9, {"charge_unconfirmed:1": 3}),
    ],
)
def test_a_charge_of_ours_of_which_nothing_is_known_calls_a_person(
    status: str, charged: float | None, expected: dict[str, float]
) -> None:
    """The customer may have paid, and nobody knows."""
    rules = policy(retries="worker")
    news = [] if charged is None else [charge(charged)]
    known = account(failures(0), news, policy=rules)
    made = effect("retry:in_1:1", 3, status, name="retry", kind=Kind.RETRY)
    assert calls(planned(known, 3.5, made, policy=rules)) == expected


@pytest.mark.parametrize(("until", "at"), [(5, 6), (8, 9)])
def test_a_broken_promise_calls_a_person(until: float, at: float) -> None:
    """A day after the promised one; a second promise is called for anew."""
    promise = said(Verb.PROMISE, 1, until=until)
    known = after(account(failures(0)), promise)
    name = f"promise_broken:{day(until):%Y-%m-%d}"
    assert calls(planned(known, 2)) == {name: at}
    again = after(known, said(Verb.PROMISE, 9.5, until=12))
    assert calls(planned(again, 10, called(name, at))) == {"promise_broken:2026-03-13": 13}
