"""The life of an invoice: draft, finalised, and then paid, voided or written off."""

from dataclasses import replace

from sandbox.stripe import intents, standing
from sandbox.stripe.errors import ApiError
from sandbox.stripe.ids import derived
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.policy import DAY
from sandbox.stripe.records import Customer, Invoice, InvoiceLine, Subscription

HOUR = 3600
# How long the page to pay on stays, and how long at least after somebody was shown its address.
PAGE_LIFE = 30 * DAY
PAGE_SHOWN = 10 * DAY


def draft(
    ledger: Ledger,
    subscription: Subscription,
    *,
    reason: str,
    lines: tuple[InvoiceLine, ...],
    period: tuple[int, int],
    now: int,
) -> Invoice:
    """Write an invoice for the lines; a renewal's is finalised by itself an hour later."""
    customer = ledger.get(Customer, subscription.customer)
    held = subscription.status == "unpaid" or subscription.pause_collection == "keep_as_draft"
    renewal = reason == "subscription_cycle"
    later = now + HOUR if renewal and not held else None
    invoice = ledger.put(
        Invoice(
            id=ledger.ids.new("in"),
            created=now,
            customer=customer.id,
            subscription=subscription.id,
            test_clock=subscription.test_clock,
            currency=subscription.currency,
            collection_method=subscription.collection_method,
            lines=lines,
            billing_reason=reason,
            period_start=period[0],
            period_end=period[1],
            customer_email=customer.email,
            customer_name=customer.name,
            subscription_metadata=subscription.metadata,
            auto_advance=not held,
            next_payment_attempt=later,
            automatically_finalizes_at=later,
        )
    )
    if later is not None:
        ledger.plan(invoice.test_clock, later, "finalize", invoice.id)
    return invoice


def finalize(ledger: Ledger, invoice: Invoice, now: int, *, collect_at: int | None = None) -> Invoice:
    """Make a draft owed: number, page to pay on, payment intent; charged at `collect_at`, or by hand only."""
    if invoice.status != "draft":
        raise ApiError.invalid(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
            code="invoice_not_editable",
        )
    customer = ledger.get(Customer, invoice.customer)
    ledger.put(replace(customer, next_invoice_sequence=customer.next_invoice_sequence + 1))
    intent = intents.open_intent(ledger, invoice, now) if invoice.total > 0 else None
    finalized = replace(
        invoice,
        status="open",
        number=f"{customer.invoice_prefix}-{customer.next_invoice_sequence:04d}",
        hosted_url=f"{ledger.hosted_base_url}/hosted/invoice/{invoice.id}?s={derived(invoice.id, 'page')}",
        hosted_until=now + PAGE_LIFE,
        payment_intent=intent.id if intent else None,
        customer_email=customer.email,
        customer_name=customer.name,
        finalized_at=now,
        automatically_finalizes_at=None,
        next_payment_attempt=collect_at,
    )
    if collect_at is not None:
        ledger.plan(invoice.test_clock, collect_at, "collect", invoice.id)
    return ledger.change("invoice.finalized", finalized, at=now)


def shown(ledger: Ledger, invoice: Invoice, now: int) -> Invoice:
    """Somebody was told where the invoice can be paid: that address is good for ten days more at least."""
    if invoice.hosted_url is None or invoice.hosted_until >= now + PAGE_SHOWN:
        return invoice
    return ledger.put(replace(invoice, hosted_until=now + PAGE_SHOWN))


def settle(ledger: Ledger, invoice: Invoice, now: int, *, out_of_band: bool = False) -> Invoice:
    """Paid: by a charge, outside Stripe, or because nothing was due."""
    paid = replace(
        invoice,
        status="paid",
        amount_paid=invoice.total,
        paid_at=now,
        paid_out_of_band=out_of_band,
        auto_advance=False,
        next_payment_attempt=None,
        attempted=True,
    )
    ledger.change("invoice.updated", paid, at=now)
    if out_of_band:
        intents.cancel_intent(ledger, paid, now)
    ledger.emit("invoice.paid", paid, at=now)
    if not out_of_band:
        ledger.emit("invoice.payment_succeeded", paid, at=now)
    standing.set_delinquent(ledger, invoice.customer, False, now)
    standing.settle(ledger, paid, now)
    return paid


def void(ledger: Ledger, invoice: Invoice, now: int) -> Invoice:
    """Nothing is owed any more, as if it had never been; raises ApiError unless open or uncollectible."""
    if not invoice.payable:
        raise ApiError.invalid(f"You can only pass in open invoices. This invoice is {invoice.status}.")
    gone = replace(invoice, status="void", voided_at=now, auto_advance=False, next_payment_attempt=None)
    ledger.change("invoice.voided", gone, at=now)
    intents.cancel_intent(ledger, gone, now)
    standing.settle(ledger, gone, now)
    return gone


def mark_uncollectible(
    ledger: Ledger, invoice: Invoice, now: int, *, reason: str = "user_forgiven"
) -> Invoice:
    """Write it off: still payable, but no longer expected; raises ApiError unless open."""
    if invoice.status != "open":
        raise ApiError.invalid(f"You can only pass in open invoices. This invoice is {invoice.status}.")
    lost = replace(
        invoice,
        status="uncollectible",
        marked_uncollectible_at=now,
        uncollectible_reason=reason,
        auto_advance=False,
        next_payment_attempt=None,
    )
    ledger.change("invoice.marked_uncollectible", lost, at=now)
    standing.settle(ledger, lost, now)
    return lost
