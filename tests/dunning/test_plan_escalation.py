"""When a person is called: three charges that really failed, or where mails cannot help."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dunning.events import CustomerFact
from dunning.steps import Kind
from tests.dunning.builders import (
    INVOICE,
    account,
    charge,
    day,
    effect,
    failed,
    failures,
    keys,
    ledger,
    notice_sent,
    paid,
    planned,
    policy,
    step,
    subscription,
    warning,
    why,
)

Facts = list[CustomerFact]
ATTEMPTS = "escalation:in_1:attempts"


@pytest.mark.parametrize(("days", "called"), [((0,), False), ((0, 1), False), ((0, 1, 3), True)])
def test_class_14_the_third_charge_calls_the_team(days: tuple[float, ...], called: bool) -> None:
    """Not the second, and in the moment it failed."""
    found = step(planned(account(failures(*days)), 3), ATTEMPTS)
    assert (found is not None) is called
    if found:
        assert (found.kind, found.due_at, found.reason) == (Kind.TEAM, day(3), "3 charges have failed")


def test_class_21_the_team_is_called_once() -> None:
    """Five failures, one call."""
    known = account(failures(0, 1, 3, 5, 7))
    assert step(planned(known, 7, effect(ATTEMPTS, 3, kind=Kind.TEAM)), ATTEMPTS) is None


def test_class_10_counted_attempts_that_were_not_made_call_nobody() -> None:
    """And the plan says why not."""
    found = planned(account(failures(0, code="lost_card"), failed(8, 4), ledger(4)), 8)
    assert step(found, ATTEMPTS) is None
    assert why(found, ATTEMPTS) == "4 attempts were counted but only 1 were really made"


def test_class_14_the_customers_own_tries_call_nobody() -> None:
    """Somebody who tries to pay is no case for a person."""
    tries: Facts = [charge(1), charge(1.1), charge(1.2), failed(1.2, 1), ledger(1)]
    assert step(planned(account(failures(0), tries), 2), ATTEMPTS) is None


def test_how_many_is_the_policys() -> None:
    """From the first failure on, if somebody wants that."""
    eager = policy(escalate_after=1)
    found = step(planned(account(failures(0), policy=eager), 0, policy=eager), ATTEMPTS)
    assert found
    assert found.reason == "a charge has failed"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("testmode_decline", "merchant_side"),
        ("duplicate_transaction", "merchant_side"),
        ("revocation_of_authorization", "consent_withdrawn"),
        ("stop_payment_order", "consent_withdrawn"),
    ],
)
def test_some_declines_are_for_a_person_at_once(code: str, name: str) -> None:
    """Mails cannot help there."""
    found = step(planned(account(failures(0, code=code)), 0), f"escalation:in_1:{name}")
    assert found is not None
    assert found.due_at == day(0)


def test_class_28_a_mail_that_failed_calls_the_team() -> None:
    """The address does not work: somebody has to find another way, once."""
    known = account(failures(0))
    found = step(planned(known, 1, notice_sent(0.5, status="failed")), "escalation:in_1:undeliverable")
    assert found is not None
    assert found.due_at == day(0.5)
    called = effect("escalation:in_1:undeliverable", 1, kind=Kind.TEAM)
    again = planned(known, 12, notice_sent(0.5, status="failed"), warning(11, status="failed"), called)
    assert step(again, "escalation:in_1:undeliverable") is None


def test_an_unreachable_team_is_not_an_undeliverable_mail() -> None:
    """Only mails to the customer count."""
    unreachable = effect(ATTEMPTS, 3, "failed", kind=Kind.TEAM)
    assert step(planned(account(failures(0, 1, 3)), 4, unreachable), "escalation:in_1:undeliverable") is None


def test_escalation_goes_on_after_access_is_gone() -> None:
    """A stopped subscription with three failures is still worth a call."""
    stopped = account(failures(0, 1, 3), subscription(3, "unpaid"))
    assert step(planned(stopped, 3), ATTEMPTS)
    known = account(failures(0, 1, 3))
    case = replace(known.cases[INVOICE], taken_at=day(14), taken_level="revoked")
    assert step(planned(replace(known, cases={INVOICE: case}), 14), ATTEMPTS)


def test_class_2_a_paid_case_calls_nobody() -> None:
    """Three failures and then the money."""
    assert keys(planned(account(failures(0, 1, 3), paid(4)), 4)) == []


def test_each_case_has_its_own_call() -> None:
    """Two subscriptions of one customer are two matters."""
    known = account(failures(0, 1, 3), failures(0, 1, 3, ref="in_2", of="sub_2"))
    found = keys(planned(known, 3))
    assert {ATTEMPTS, "escalation:in_2:attempts"} <= set(found)
