"""The intent an invoice is paid by: opened when it is finalised, given up when it is settled otherwise."""

from dataclasses import replace

from sandbox.stripe.ledger import Ledger
from sandbox.stripe.records import Invoice, InvoicePayment, PaymentIntent


def open_intent(ledger: Ledger, invoice: Invoice, now: int) -> PaymentIntent:
    """The intent and its link that a finalised invoice gets."""
    intent = PaymentIntent(
        id=ledger.ids.new("pi"),
        created=now,
        amount=invoice.total,
        currency=invoice.currency,
        customer=invoice.customer,
        invoice=invoice.id,
        description="Subscription creation"
        if invoice.billing_reason == "subscription_create"
        else "Subscription update",
    )
    ledger.emit("payment_intent.created", ledger.put(intent), at=now)
    ledger.put(
        InvoicePayment(
            id=ledger.ids.new("inpay"),
            created=now,
            invoice=invoice.id,
            payment_intent=intent.id,
            amount_requested=invoice.total,
            currency=invoice.currency,
        )
    )
    return intent


def cancel_intent(ledger: Ledger, invoice: Invoice, now: int) -> None:
    """Give up the intent of a voided or otherwise settled invoice."""
    if invoice.payment_intent is None:
        return
    intent = ledger.get(PaymentIntent, invoice.payment_intent)
    if intent.status not in ("succeeded", "canceled"):
        canceled = replace(intent, status="canceled", canceled_at=now, cancellation_reason="void_invoice")
        ledger.change("payment_intent.canceled", canceled, at=now)
    for link in ledger.of(InvoicePayment, invoice.id):
        if link.status == "open":
            ledger.put(replace(link, status="canceled", canceled_at=now))
