"""The payments of an invoice: every charge that failed, the newest reason, and what is still under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dunning.declines import BANK_DEBIT_METHODS
from dunning.events import AsOf, BillingEvent, ChargeFailed, InvoiceSeen, LedgerRead, PaymentFailed
from providers.fields import Json, flag, moment, part, parts, ref, text, whole
from providers.stripe.client import StripeApi
from providers.stripe.objects import charge_failed

# Five working days and a weekend: a SEPA core debit, the slowest that is common (EPC rulebook, returns).
DEBIT_FAILS_WITHIN = timedelta(days=7)
CONFIRMATION_WANTED: Json = {"code": "payment_intent_action_required"}


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment of an invoice, with its intent and the charges that were listed of it."""

    link: Json
    intent: Json
    charges: Sequence[Json]

    def begun_at(self, as_of: AsOf) -> datetime | None:
        """When what is under way was begun, None if nothing is: a bank debit takes days.

        An intent is as old as its invoice, and may have failed before: the pending charge knows better.
        """
        if self.intent.get("status") != "processing":
            return None
        pending = [moment(each.get("created")) for each in self.charges if each.get("status") == "pending"]
        begun = max(filter(None, pending), default=None)
        return begun or moment(self.intent.get("created")) or moment(self.link.get("created")) or as_of.at


async def payments_of(api: StripeApi, invoice: Json) -> list[Payment]:
    """The invoice's payments, which came with it expanded, and the charges of those that were tried."""
    found = []
    for link in parts(invoice, "payments", "data"):
        intent = part(link, "payment").get("payment_intent")
        if isinstance(intent, dict) and (flag(invoice, "attempted") or intent.get("status") == "processing"):
            listed = await api.read("/v1/charges", payment_intent=ref(intent) or "", limit=100)
            found.append(Payment(link, intent, parts(listed or {}, "data")))
    return found


def processing_since(payments: Sequence[Payment], as_of: AsOf) -> datetime | None:
    """Since when a payment is under way; the earliest, if there are several."""
    begun = (payment.begun_at(as_of) for payment in payments)
    return min(filter(None, begun), default=None)


def amount_refunded(payments: Sequence[Payment]) -> int:
    """What of the charges was given back, in minor units; Stripe counts it on each charge."""
    return sum(whole(charge, "amount_refunded") for payment in payments for charge in payment.charges)


def ledger_of(invoice: InvoiceSeen, payments: Sequence[Payment], *, late: bool = False) -> list[BillingEvent]:
    """Every failed charge of the invoice, and the newest reason where no charge carries it.

    `late`: read long after it failed, and not because it did.
    """
    customer, invoice_id, attempt = invoice.customer, invoice.invoice, invoice.attempt_count
    facts: list[BillingEvent] = []
    reason: Json = {}
    waiting = False
    for payment in payments:
        # An intent that waits for the bank's confirmation has no error: nothing has been declined.
        asked = CONFIRMATION_WANTED if payment.intent.get("status") == "requires_action" else None
        reason = part(payment.intent, "last_payment_error") or asked or reason
        waiting = waiting or payment.intent.get("status") == "requires_payment_method"
        for charge in payment.charges:
            fact = charge_failed(charge, customer=customer, invoice=invoice_id)
            if fact:
                fact = _when_it_failed(fact, invoice.as_of, late=late)
                facts += [fact, PaymentFailed(customer, invoice_id, fact.at, attempt)]
    facts.append(
        LedgerRead(
            customer=customer,
            invoice=invoice_id,
            attempt=attempt,
            code=text(reason, "code"),
            decline_code=text(reason, "decline_code"),
            method_type=_method_type(reason),
            no_method=waiting and not reason and not facts,
        )
    )
    return facts


def _when_it_failed(charge: ChargeFailed, as_of: AsOf, *, late: bool) -> ChargeFailed:
    """A card says no at once, a bank debit days after it was begun: it had failed when we first heard so.

    Who hears of it late can only say that it had failed by the time banks take at most.
    """
    if charge.method_type not in BANK_DEBIT_METHODS:
        return charge
    failed_by = min(as_of.at, charge.at + DEBIT_FAILS_WITHIN) if late else as_of.at
    return replace(charge, at=max(charge.at, failed_by))


def _method_type(reason: Json) -> str | None:
    method = reason.get("payment_method")
    expanded = text(method, "type") if isinstance(method, dict) else None
    return text(reason, "payment_method_type") or expanded
