"""Charges of our own: counted like any other, never two at once, and never while somebody has paused them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dunning.account import Account
from dunning.case import settle
from dunning.declines import HARD_DECLINES
from dunning.events import CustomerFact
from dunning.instructions import Instruction, Verb
from dunning.steps import Effect, Kind
from tests.dunning.builders import (
    INVOICE,
    account,
    charge,
    day,
    effect,
    failed,
    failures,
    invoice,
    ledger,
    planned,
    policy,
    step,
)

OURS = policy(retries="worker")
FIRST, OTHER = "retry:in_1:1", "retry:in_2:1"


def charged(at: float, number: int = 1, status: str = "sent", *, ref: str = INVOICE) -> Effect:
    return effect(f"retry:{ref}:{number}", at, status, case=ref, kind=Kind.RETRY)


def declined_again(*days: float, code: str = "do_not_honor") -> list[CustomerFact]:
    """Tries by hand, as Stripe tells of them: its own count stays where it is."""
    return [fact for at in days for fact in (charge(at, code), failed(at, 1), ledger(1))]


def told(known: Account, verb: Verb, at: float, until: float | None = None) -> Account:
    said = Instruction(verb, day(at), "the team", "because", INVOICE, None if until is None else day(until))
    return settle(replace(known, instructions=(*known.instructions, said)), OURS)


def test_class_14_our_own_charges_count_as_attempts() -> None:
    """Stripe's own count stays at one: the team is called at the third all the same."""
    known = account(failures(0, code="do_not_honor"), declined_again(2, 5), policy=OURS)
    ours = [charged(2), charged(5, 2)]
    called = step(planned(known, 5, *ours, policy=OURS), "escalation:in_1:attempts")
    assert called is not None
    assert called.due_at == day(5)
    for fewer in ([], ours[:1], [ours[0], charged(5, 2, "suppressed")]):
        assert step(planned(known, 5, *fewer, policy=OURS), "escalation:in_1:attempts") is None


def test_class_10_a_charge_of_ours_that_was_refused_is_no_attempt() -> None:
    """Stripe was asked and charged nothing: the ledger has the last word."""
    known = account(failures(0, code="do_not_honor"), policy=OURS)
    found = planned(known, 6, charged(2), charged(5, 2), policy=OURS)
    assert step(found, "escalation:in_1:attempts") is None


def test_a_processing_error_that_our_own_charges_repeat_is_told() -> None:
    """Two of ours and the first are three."""
    code = "processing_error"
    known = account(failures(0, code=code), declined_again(0.05, 0.3, code=code), policy=OURS)
    found = step(planned(known, 0.4, charged(0.05), charged(0.3, 2), policy=OURS), "payment_failed:in_1:1")
    assert found is not None
    assert found.due_at == day(0.3)


def test_class_34_one_card_is_not_charged_for_two_invoices_at_once() -> None:
    """The first is on its way, or its charge is not known yet: the second keeps a day's distance."""
    known = account(
        failures(0, code="do_not_honor"),
        failures(0, ref="in_2", of="sub_2", code="do_not_honor"),
        policy=OURS,
    )
    morning = step(planned(known, 2, policy=OURS), OTHER)
    assert morning is not None
    first = charged((morning.due_at - day(0)) / timedelta(days=1))
    for status in ("pending", "sending", "sent"):
        found = step(planned(known, 3, replace(first, status=status), policy=OURS), OTHER)
        assert found is not None
        assert found.due_at == morning.due_at + timedelta(days=1)
    assert step(planned(known, 3, replace(first, status="suppressed"), policy=OURS), OTHER) == morning


def test_class_37_a_promise_does_not_lift_a_pause() -> None:
    """The promised day is a day to charge, unless somebody has paused the case for longer."""
    known = account(failures(0, code="insufficient_funds"), policy=OURS)
    promised = told(known, Verb.PROMISE, 1, 6)
    due = step(planned(promised, 2, policy=OURS), FIRST)
    assert due is not None
    assert due.due_at == day(6 - 1 / 24)  # eight in the morning
    paused = told(promised, Verb.PAUSE, 2, 9)
    due = step(planned(paused, 3, policy=OURS), FIRST)
    assert due is not None
    assert due.due_at == day(9)


def test_class_34_an_invoice_without_a_charge_has_a_card_all_the_same() -> None:
    """A payment that waits for the bank made none; the card was just charged for another invoice."""
    known = account(
        invoice(0, attempt_count=1),
        failed(0),
        ledger(1),
        failures(2, ref="in_2", of="sub_2", code="do_not_honor"),
        policy=OURS,
    )
    found = step(planned(known, 2, policy=OURS), FIRST)
    assert found is not None
    assert found.due_at == day(3)


@pytest.mark.parametrize("code", sorted(HARD_DECLINES))
def test_class_34_what_the_network_forbids_is_not_charged_again(code: str) -> None:
    """Until there is another way to pay."""
    known = account(failures(0, code=code), policy=OURS)
    assert not [each for each in planned(known, 3, policy=OURS).steps if each.kind is Kind.RETRY]


@pytest.mark.parametrize("fields", [{"next_attempt_at": day(5)}, {"processing_since": day(1)}], ids=list)
def test_class_34_two_do_not_charge_one_invoice(fields: dict[str, Any]) -> None:
    """The provider has planned a charge of its own, or has begun one."""
    known = account(failures(0, code="do_not_honor"), invoice(1, **fields), policy=OURS)
    assert not [each for each in planned(known, 3, policy=OURS).steps if each.kind is Kind.RETRY]
