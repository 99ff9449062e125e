"""fold(account, fact) -> account: the same facts in any order, any number of times, give one account.

Everything that matters for money is a latch or a maximum (paid, voided, attempts, first failure), so
it commutes. Whole-object observations keep the newest by `AsOf`; a tie is broken by the values
themselves, which is arbitrary but the same for everybody, and the caller reads the object back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from dunning.account import ENDED, PAYING, Account, Charge, Customer, Invoice, Method, Subscription
from dunning.events import (
    ChargeFailed,
    CustomerFact,
    CustomerSeen,
    InvoiceSeen,
    LedgerRead,
    MethodSeen,
    PaymentFailed,
    PaymentMethodChanged,
    PayPageSeen,
    SubscriptionOwned,
    SubscriptionSeen,
)
from dunning.forgetting import is_forgotten, nameless
from dunning.streaks import placed

Seen = CustomerSeen | SubscriptionSeen | InvoiceSeen | MethodSeen
Mirrored = Customer | Subscription | Invoice | Method
S = TypeVar("S", Customer, Subscription, Invoice, Method)

CUSTOMER_SNAPSHOT = ("email", "name", "locales", "country", "metadata", "payment_method")
SUBSCRIPTION_SNAPSHOT = (
    "status", "plan", "product", "interval", "cancel_at_period_end", "period_end", "trial_end",
    "ended_at", "paused_for", "ended_for", "payment_method", "amount", "currency", "follows",
)  # fmt: skip
INVOICE_SNAPSHOT = (
    "status", "subscription", "billing_reason", "collection_method", "number",
    "currency", "amount_remaining", "next_attempt_at", "processing_since",
)  # fmt: skip
TOLD_OF_CHARGES = tuple(field.name for field in fields(Charge) if field.name not in ("ref", "invoice", "at"))
METHOD_SNAPSHOT = ("type", "brand", "last4", "exp_month", "exp_year", "country", "detached")


def fold(account: Account, *facts: CustomerFact) -> Account:
    """The account as it is after these facts. Facts of other customers are a caller's error (ValueError)."""
    forgotten = is_forgotten(account.instructions)
    for fact in facts:
        if fact.customer != account.customer.ref:
            raise ValueError(f"a fact of {fact.customer} was folded into {account.customer.ref}")
        account = _fold_one(account, nameless(fact) if forgotten else fact)
    return account


def _fold_one(account: Account, fact: CustomerFact) -> Account:
    match fact:
        case CustomerSeen():
            return replace(account, customer=_fold_customer(account.customer, fact))
        case SubscriptionSeen():
            subscription = _fold_subscription(account.subscription(fact.subscription), fact)
            return _with_subscription(account, subscription)
        case InvoiceSeen() | PaymentFailed() | PayPageSeen() | ChargeFailed() | LedgerRead():
            return _fold_debt(account, fact)
        case SubscriptionOwned():
            owned = account.subscription(fact.subscription)
            return _with_subscription(account, owned)
        case MethodSeen():
            seen = account.methods.get(fact.method, Method(ref=fact.method))
            method = _observe(seen, fact, METHOD_SNAPSHOT)
            return replace(account, methods=MappingProxyType({**account.methods, method.ref: method}))
        case PaymentMethodChanged():
            changed_at = latest(account.customer.method_changed_at, fact.at)
            return replace(account, customer=replace(account.customer, method_changed_at=changed_at))


def _fold_debt(
    account: Account, fact: InvoiceSeen | PaymentFailed | PayPageSeen | ChargeFailed | LedgerRead
) -> Account:
    ref = placed(account, fact.invoice)
    if ref != fact.invoice:
        fact = replace(fact, invoice=ref)
    match fact:
        case InvoiceSeen():
            return _fold_invoice(account, fact)
        case PaymentFailed():
            return _with_invoice(account, _fold_failure(_invoice(account, fact.invoice), fact))
        case PayPageSeen():
            return _with_invoice(account, _fold_pay_page(_invoice(account, fact.invoice), fact))
        case ChargeFailed():
            return _fold_charge(account, fact)
        case LedgerRead():
            return _with_invoice(account, _fold_ledger_read(_invoice(account, fact.invoice), fact))


def _observe(seen: S, fact: Seen, snapshot: tuple[str, ...], **latches: Any) -> S:
    """Take the fact's snapshot fields if it is newer than what was seen, or wins the tie; latches always."""
    if _is_news(fact, seen, snapshot):
        latches |= {name: getattr(fact, name) for name in snapshot}
        latches["as_of"] = fact.as_of
    return replace(seen, **latches) if latches else seen


def _is_news(fact: Seen, seen: Mirrored, snapshot: tuple[str, ...]) -> bool:
    if seen.as_of is None:
        return True
    if fact.as_of.rank != seen.as_of.rank:
        return fact.as_of.rank > seen.as_of.rank
    return _rank(fact, snapshot) > _rank(seen, snapshot)


def _rank(thing: Seen | Mirrored, snapshot: tuple[str, ...]) -> tuple[bool, str]:
    """Among those of one moment."""
    # An ended subscription wins: for Stripe `canceled` is final, so the other one is older.
    ended = getattr(thing, "status", None) in ENDED
    return ended, repr([getattr(thing, name) for name in snapshot])


def _fold_customer(seen: Customer, fact: CustomerSeen) -> Customer:
    """Deletion is final, and a customer stays on their test clock, which a deleted one no longer names."""
    return _observe(
        seen,
        fact,
        CUSTOMER_SNAPSHOT,
        deleted=seen.deleted or fact.deleted,
        test_clock=_either(seen.test_clock, fact.test_clock),
    )


def _fold_subscription(seen: Subscription, fact: SubscriptionSeen) -> Subscription:
    observed = Subscription(ref=seen.ref, status=fact.status, paused_for=fact.paused_for)
    return _observe(
        seen,
        fact,
        SUBSCRIPTION_SNAPSHOT,
        good_at=latest(seen.good_at, fact.as_of.at if fact.status in PAYING else None),
        nonpayment_at=latest(seen.nonpayment_at, fact.as_of.at if observed.stopped_for_nonpayment else None),
    )


def _fold_invoice(account: Account, fact: InvoiceSeen) -> Account:
    seen = _invoice(account, fact.invoice)
    known = seen.counted_at if fact.attempt_count == seen.counted else None
    # What was read back is newer than the event that made us ask, nobody knows by how much.
    looked_at = None if fact.as_of.read_at else fact.as_of.at
    invoice = _observe(
        seen,
        fact,
        INVOICE_SNAPSHOT,
        counted=max(seen.counted, fact.attempt_count),
        counted_at=earliest(known, looked_at) if fact.attempt_count >= seen.counted else seen.counted_at,
        attempt_count=max(seen.attempt_count, fact.attempt_count),
        amount_paid=max(seen.amount_paid, fact.amount_paid),
        # A draft's amount may still fall; what is void or credited later was due once.
        amount_due=max(seen.amount_due, 0 if fact.status == "draft" else _amount_due(fact)),
        amount_refunded=max(seen.amount_refunded, fact.amount_refunded),
        paid_at=earliest(seen.paid_at, fact.paid_at),
        voided_at=earliest(seen.voided_at, fact.voided_at),
        written_off_at=earliest(seen.written_off_at, fact.written_off_at),
    )
    account = _with_invoice(account, invoice)
    # An invoice of nothing, or one settled by a credit, is not a payment.
    if fact.paid_at and fact.amount_paid > 0 and fact.subscription:
        subscription = account.subscription(fact.subscription)
        account = _with_subscription(
            account, replace(subscription, last_paid_at=latest(subscription.last_paid_at, fact.paid_at))
        )
    return account


def _amount_due(fact: InvoiceSeen) -> int:
    return fact.amount_remaining + fact.amount_paid


def _fold_failure(seen: Invoice, fact: PaymentFailed) -> Invoice:
    return replace(
        seen,
        failed_at=earliest(seen.failed_at, fact.at),
        last_failed_at=latest(seen.last_failed_at, fact.at),
        attempt_count=max(seen.attempt_count, fact.attempt),
        action_required=seen.action_required or fact.action_required,
    )


def _fold_ledger_read(seen: Invoice, fact: LedgerRead) -> Invoice:
    reason = (fact.attempt, fact.code or "", fact.decline_code or "", fact.method_type or "", fact.no_method)
    known = (
        seen.ledger_attempt, seen.reason_code or "", seen.reason_decline_code or "",
        seen.reason_method_type or "", seen.no_method,
    )  # fmt: skip
    if reason <= known:
        return seen
    return replace(
        seen,
        ledger_attempt=fact.attempt,
        reason_code=fact.code,
        reason_decline_code=fact.decline_code,
        reason_method_type=fact.method_type,
        no_method=fact.no_method,
    )


def _fold_pay_page(seen: Invoice, fact: PayPageSeen) -> Invoice:
    if seen.pay_url_at and (fact.at, fact.url) <= (seen.pay_url_at, seen.pay_url or ""):
        return seen
    return replace(seen, pay_url=fact.url, pay_url_at=fact.at)


def _fold_charge(account: Account, fact: ChargeFailed) -> Account:
    seen = account.charges.get(fact.charge)
    # Two reports of one charge differ only in how much they tell: keep what either knows.
    told = {name: _either(getattr(seen, name, None), getattr(fact, name)) for name in TOLD_OF_CHARGES}
    charge = Charge(
        ref=fact.charge,
        invoice=fact.invoice,
        at=min(seen.at, fact.at) if seen else fact.at,
        **told,
    )
    return replace(account, charges=MappingProxyType({**account.charges, charge.ref: charge}))


def _either(one: str | None, other: str | None) -> str | None:
    return max(filter(None, (one, other)), default=None)


def earliest(*moments: datetime | None) -> datetime | None:
    return min(filter(None, moments), default=None)


def latest(*moments: datetime | None) -> datetime | None:
    return max(filter(None, moments), default=None)


def _invoice(account: Account, ref: str) -> Invoice:
    return account.invoices.get(ref, Invoice(ref=ref))


def _with_invoice(account: Account, invoice: Invoice) -> Account:
    return replace(account, invoices=MappingProxyType({**account.invoices, invoice.ref: invoice}))


def _with_subscription(account: Account, subscription: Subscription) -> Account:
    subscriptions = MappingProxyType({**account.subscriptions, subscription.ref: subscription})
    return replace(account, subscriptions=subscriptions)


def empty(source: str, customer: str) -> Account:
    """The account of a customer of whom nothing is known yet."""
    return Account(source=source, customer=Customer(ref=customer))


def touched(facts: Iterable[CustomerFact]) -> Mapping[str, list[CustomerFact]]:
    """Facts grouped by the customer they speak of, in the given order."""
    grouped: dict[str, list[CustomerFact]] = {}
    for fact in facts:
        grouped.setdefault(fact.customer, []).append(fact)
    return grouped
