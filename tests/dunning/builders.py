"""Facts in one line each. Days are counted from DAY0, the moment of the first failure in most tests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from dunning.account import Account, Case
from dunning.case import Situation, settle, situation
from dunning.events import (
    AsOf,
    ChargeFailed,
    CustomerFact,
    CustomerSeen,
    InvoiceSeen,
    LedgerRead,
    PaymentFailed,
    PaymentMethodChanged,
    SubscriptionSeen,
)
from dunning.fold import empty, fold
from dunning.plan import plan
from dunning.policy import Policy
from dunning.steps import Effect, Kind, Plan, Step

DAY0 = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CUSTOMER, SUBSCRIPTION, INVOICE = "cus_1", "sub_1", "in_1"
# Day and night alike, and nothing but what follows from the failures: days count exactly.
POLICY = Policy.model_validate(
    {
        "mail_hours": "always",
        "revocation_hours": "always",
        "limited_after": "never",
        "unresolved_after": "never",
        "blocked_after": "never",
        "last_call": "never",
        "high_value": {},
        "annual_is_high_value": False,
        "most_reminders": 0,
    }
)


def policy(**changes: Any) -> Policy:
    """The plain policy with some of its values changed."""
    return POLICY.model_copy(update=changes)


def day(number: float) -> datetime:
    """So many days after the first failure."""
    return DAY0 + timedelta(days=number)


def customer(at: float = 0, *, read_at: datetime | None = None, **fields: Any) -> CustomerSeen:
    """The customer as seen on a day."""
    return CustomerSeen(customer=CUSTOMER, as_of=AsOf(day(at), read_at), **fields)


def subscription(
    at: float = 0,
    status: str = "past_due",
    *,
    ref: str = SUBSCRIPTION,
    read_at: datetime | None = None,
    **fields: Any,
) -> SubscriptionSeen:
    """The subscription as seen on a day."""
    return SubscriptionSeen(
        customer=CUSTOMER, subscription=ref, as_of=AsOf(day(at), read_at), status=status, **fields
    )


def invoice(
    at: float = 0, *, ref: str = INVOICE, status: str = "open", read_at: datetime | None = None, **fields: Any
) -> InvoiceSeen:
    """A renewal's invoice as seen on a day."""
    values: dict[str, Any] = {
        "subscription": SUBSCRIPTION,
        "billing_reason": "subscription_cycle",
        "collection_method": "charge_automatically",
        "amount_remaining": 1900,
    }
    return InvoiceSeen(
        customer=CUSTOMER, invoice=ref, as_of=AsOf(day(at), read_at), status=status, **(values | fields)
    )


def paid(at: float, *, ref: str = INVOICE, amount: int = 1900, **fields: Any) -> InvoiceSeen:
    """The invoice, paid on a day."""
    return invoice(
        at, ref=ref, status="paid", paid_at=day(at), amount_paid=amount, amount_remaining=0, **fields
    )


def voided(at: float, *, ref: str = INVOICE) -> InvoiceSeen:
    return invoice(at, ref=ref, status="void", voided_at=day(at))


def written_off(at: float, *, ref: str = INVOICE) -> InvoiceSeen:
    return invoice(at, ref=ref, status="uncollectible", written_off_at=day(at))


def failed(
    at: float = 0, attempt: int = 1, *, ref: str = INVOICE, action_required: bool = False
) -> PaymentFailed:
    return PaymentFailed(CUSTOMER, ref, day(at), attempt, action_required)


def charge(
    at: float = 0, code: str | None = "insufficient_funds", *, ref: str = INVOICE, **fields: Any
) -> ChargeFailed:
    """A declined charge; its id follows from the invoice and the day."""
    values: dict[str, Any] = {"charge": f"ch_{ref}_{at:g}", "code": "card_declined", "decline_code": code}
    return ChargeFailed(customer=CUSTOMER, invoice=ref, at=day(at), **(values | fields))


def ledger(attempt: int = 1, *, ref: str = INVOICE, **fields: Any) -> LedgerRead:
    return LedgerRead(customer=CUSTOMER, invoice=ref, attempt=attempt, **fields)


def method(at: float) -> PaymentMethodChanged:
    return PaymentMethodChanged(CUSTOMER, day(at))


def failures(
    *days: float,
    code: str | None = "insufficient_funds",
    ref: str = INVOICE,
    of: str = SUBSCRIPTION,
    **fields: Any,
) -> list[CustomerFact]:
    """A renewal that was charged and declined on each of these days, with the ledger read each time."""
    told: list[CustomerFact] = []
    for attempt, at in enumerate(days, start=1):
        told += [
            invoice(at, ref=ref, attempt_count=attempt, subscription=of, **fields),
            failed(at, attempt, ref=ref),
            charge(at, code, ref=ref),
            ledger(attempt, ref=ref),
            subscription(at, ref=of),
        ]
    return told


def mirror(*facts: CustomerFact | Iterable[CustomerFact]) -> Account:
    """What the facts alone say, without cases."""
    return fold(empty("stripe", CUSTOMER), *_flat(facts))


def account(*facts: CustomerFact | Iterable[CustomerFact], policy: Policy = POLICY) -> Account:
    """The settled account of these facts."""
    return settle(mirror(*facts), policy)


def _flat(facts: Iterable[CustomerFact | Iterable[CustomerFact]]) -> list[CustomerFact]:
    flat: list[CustomerFact] = []
    for fact in facts:
        flat += [*fact] if isinstance(fact, list | tuple) else [fact]  # type: ignore[list-item]  # a fact is no list
    return flat


def the_case(known: Account, ref: str = INVOICE) -> Case:
    return known.cases[ref]


def the_situation(*facts: CustomerFact | Iterable[CustomerFact]) -> Situation:
    known = account(*facts)
    return situation(known, the_case(known))


def effect(
    key: str,
    at: float,
    status: str = "sent",
    *,
    name: str | None = None,
    case: str = INVOICE,
    kind: Kind = Kind.MAIL,
) -> Effect:
    """Something done on a day; a mail that was sent was accepted in the same moment."""
    accepted = day(at) if status == "sent" else None
    return Effect(key, kind, name or key.partition(":")[0], case, status, day(at), accepted)


def notice_sent(at: float, number: int = 1, status: str = "sent", *, ref: str = INVOICE) -> Effect:
    return effect(f"payment_failed:{ref}:{number}", at, status, case=ref)


def warning(at: float, before: int = 72, status: str = "sent", *, ref: str = INVOICE) -> Effect:
    return effect(f"final_warning:{ref}:{before}h", at, status, case=ref)


def history(*effects: Effect) -> dict[str, Effect]:
    return {each.key: each for each in effects}


def planned(known: Account, now: float | datetime, *done: Effect, policy: Policy = POLICY) -> Plan:
    """The plan on a day, after what was done."""
    return plan(known, history(*done), policy, now if isinstance(now, datetime) else day(now))


def step(found: Plan, key: str) -> Step | None:
    """The planned step with this key."""
    return next((each for each in found.steps if each.key == key), None)


def why(found: Plan, key: str) -> str | None:
    """Why a step was held back, or None when it was not."""
    return next((each.reason for each in found.withheld if each.key == key), None)


def keys(found: Plan) -> list[str]:
    """What is planned, in order."""
    return [each.key for each in found.steps]
