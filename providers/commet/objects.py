"""Commet's objects, read back through its SDK (commet-sdk 9.7.0, names in snake case), as facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from dunning.events import AsOf, CustomerSeen, InvoiceSeen, PaymentFailed, SubscriptionSeen
from dunning.money import NO_CURRENCY
from providers.commet.told import EXHAUSTED, NOT_DUNNED, SOMETHING, STATUSES, attempt_of, customer_facts
from providers.fields import Json, flag, moment, part, required, text, whole
from providers.lookup import MalformedEventError

INTERVALS: Final = {
    "weekly": "week", "monthly": "month", "quarterly": "month", "semiannual": "month", "yearly": "year",
}  # fmt: skip
INVOICES: Final = {"outstanding": "open"}
# What a renewal bills (docs: Invoices and Billing Cycles). Other invoices leave what was granted as it is.
RENEWALS: Final = frozenset({"recurring", "overage"})


def named(thing: Json, name: str) -> str:
    """An id or a status that no object of this kind can do without."""
    required(thing, name)
    found = text(thing, name)
    if found is None or len(found) > 255 or not found.isprintable():
        raise MalformedEventError(f"{name} is none")
    return found


def owner_of(customer: Json) -> str:
    """By the id that you gave, if you gave one, as in events."""
    return text(customer, "external_id") or named(customer, "id")


def customer_seen(customer: Json, as_of: AsOf) -> CustomerSeen:
    """Commet keeps neither languages nor countries, so mails are in English."""
    return customer_facts(
        owner_of(customer),
        as_of,
        email=text(customer, "email"),
        name=text(customer, "full_name"),
        zone=text(customer, "timezone"),
    )


def subscription_seen(
    subscription: Json, owner: str, as_of: AsOf, *, unpaid: bool = False
) -> SubscriptionSeen:
    """`unpaid`: of one that has ended, whether its last invoice was given up."""
    status = named(subscription, "status")
    ended = status == "canceled"
    cancellation = part(subscription, "cancellation")
    foreseen = not ended and (flag(subscription, "cancel_at_period_end") or bool(cancellation))
    period_end = moment(part(subscription, "current_period").get("end") or None)
    leaves_at = moment(cancellation.get("effective_at") or None) if foreseen else None
    exhausted = unpaid or text(cancellation, "reason") == EXHAUSTED
    return SubscriptionSeen(
        customer=owner,
        subscription=named(subscription, "id"),
        as_of=as_of,
        status=STATUSES.get(status, status),
        plan=text(part(subscription, "plan"), "name") or text(subscription, "name"),
        interval=INTERVALS.get(text(subscription, "billing_interval") or ""),
        cancel_at_period_end=foreseen,
        # What has ended has no period, in events neither.
        period_end=None if ended else leaves_at or period_end,
        trial_end=moment(subscription.get("trial_ends_at") or None),
        ended_at=_ended_at(subscription, as_of) if ended else None,
        ended_for=("payment_failed" if exhausted else "cancellation_requested") if ended else None,
    )


def _ended_at(subscription: Json, as_of: AsOf) -> datetime:
    ends = moment(subscription.get("end_date") or None) or moment(subscription.get("updated_at") or None)
    return min(ends or as_of.at, as_of.read_at or as_of.at)


def invoice_seen(invoice: Json, owner: str, as_of: AsOf, paid_at: datetime | None = None) -> InvoiceSeen:
    """`paid_at` is what its transactions tell; one that was marked as paid by hand has none.

    Commet calls an invoice uncollectible by itself when its retries are over, which the end of the
    subscription tells: nobody has written it off, and it can still be paid.
    """
    status = named(invoice, "status")
    changed_at = moment(invoice.get("updated_at") or None) or as_of.at
    paid, total = status == "paid", whole(invoice, "total")
    return InvoiceSeen(
        customer=owner,
        invoice=named(invoice, "id"),
        as_of=as_of,
        status=INVOICES.get(status, status),
        subscription=text(invoice, "subscription_id"),
        collection_method="charge_automatically",
        number=text(invoice, "invoice_number"),
        currency=(text(invoice, "currency") or NO_CURRENCY).lower(),
        amount_remaining=0 if paid else total,
        amount_paid=max(total, SOMETHING) if paid else 0,
        paid_at=(paid_at or changed_at) if paid else None,
        voided_at=changed_at if status == "void" else None,
    )


def is_renewal(invoice: Json) -> bool:
    return text(invoice, "invoice_type") in RENEWALS and text(invoice, "subscription_id") is not None


def failures_of(invoice: str, owner: str, transactions: Sequence[Json]) -> list[PaymentFailed]:
    """The failed charges of the invoice that have a number, oldest first.

    Tries by hand have none, nor have those of which Commet does not tell what they were: they are not guessed
    at. No reason stands in a transaction.
    """
    found = []
    for each in _of(invoice, transactions, "failed"):
        context = part(each, "payment_context")
        by_hand = text(part(context, "recovery"), "type") == "payment_recovery"
        if context and not by_hand and text(context, "reason") not in NOT_DUNNED:
            made_at = moment(required(each, "created_at"))
            assert made_at is not None  # noqa: S101  # `required` refused null already; this tells mypy
            found.append(PaymentFailed(owner, invoice, made_at, attempt_of(context)))
    return sorted(found, key=lambda one: one.attempt)


def paid_at_of(invoice: str, transactions: Sequence[Json]) -> datetime | None:
    paid = (moment(each.get("paid_at") or None) for each in _of(invoice, transactions, "succeeded"))
    return min(filter(None, paid), default=None)


def _of(invoice: str, transactions: Sequence[Json], status: str) -> list[Json]:
    return [
        each
        for each in transactions
        if text(each, "invoice_id") == invoice and text(each, "status") == status
    ]
