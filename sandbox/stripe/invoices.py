"""The life of an invoice: draft, finalised, tried, retried, and paid or given up."""

from dataclasses import replace

from sandbox.stripe import payments, standing
from sandbox.stripe.errors import ApiError
from sandbox.stripe.ids import derived
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.payments import Attempt
from sandbox.stripe.records import Customer, Invoice, InvoiceLine, PaymentMethod, Subscription

HOUR = 3600


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
    intent = payments.open_intent(ledger, invoice, now) if invoice.total > 0 else None
    finalized = replace(
        invoice,
        status="open",
        number=f"{customer.invoice_prefix}-{customer.next_invoice_sequence:04d}",
        hosted_url=f"{ledger.hosted_base_url}/hosted/invoice/{invoice.id}?s={derived(invoice.id, 'page')}",
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


def collect(ledger: Ledger, invoice: Invoice, now: int) -> Attempt:
    """The automatic attempt that is due. A card refused for good is counted, but not charged."""
    if invoice.total == 0:
        settle(ledger, replace(invoice, attempted=True), now)
        return Attempt()
    subscription = ledger.get(Subscription, invoice.subscription)
    method = payments.payment_method_of(ledger, subscription)
    if method is None:
        attempt = Attempt()
    elif method.id == invoice.refused:
        attempt = Attempt(method=method, skipped=True)
    else:
        attempt = payments.attempt(ledger, invoice, method, now)
    record(ledger, invoice, attempt, now, automatic=True)
    return attempt


def record(ledger: Ledger, invoice: Invoice, attempt: Attempt, now: int, *, automatic: bool) -> Invoice:
    """Write an attempt on its invoice. Only the first one and automatic ones count and are rescheduled."""
    counted = automatic or invoice.attempt_count == 0
    tried = replace(
        invoice,
        attempted=True,
        attempt_count=invoice.attempt_count + counted,
        charge=attempt.charge.id if attempt.charge else invoice.charge,
    )
    if attempt.succeeded:
        return settle(ledger, tried, now)
    return _fail(ledger, tried, attempt, now, schedule=counted)


def _fail(ledger: Ledger, invoice: Invoice, attempt: Attempt, now: int, *, schedule: bool) -> Invoice:
    policy = ledger.get(Subscription, invoice.subscription).policy
    failed = replace(invoice, refused=_refused(invoice, attempt))
    retry_at = invoice.next_payment_attempt
    if schedule:
        retry_at = _next_attempt(ledger, failed, attempt, now)
        failed = replace(failed, next_payment_attempt=None if policy.automations else retry_at)
    if schedule:
        ledger.change("invoice.updated", failed, at=now)
    ledger.put(failed)
    standing.set_delinquent(ledger, invoice.customer, True, now)
    if attempt.action_required:
        ledger.emit("invoice.payment_action_required", failed, at=now)
    ledger.emit("invoice.payment_failed", failed, at=now)
    if not schedule:
        return failed
    standing.mark_failed(ledger, failed, now)
    if retry_at is not None:
        if policy.automations:
            failed = replace(failed, next_payment_attempt=retry_at)
            ledger.change("invoice.updated", failed, at=now)
        ledger.plan(failed.test_clock, retry_at, "collect", failed.id)
    elif failed.attempt_count > len(policy.delays) and failed.billing_reason != "subscription_create":
        give_up(ledger, failed, now)
    return failed


def _refused(invoice: Invoice, attempt: Attempt) -> str | None:
    if attempt.method is None or not attempt.hard:
        return invoice.refused
    return attempt.method.id


def _next_attempt(ledger: Ledger, invoice: Invoice, attempt: Attempt, now: int) -> int | None:
    """When Stripe tries again: not without a card, not with an Indian one, not for a first payment."""
    policy = ledger.get(Subscription, invoice.subscription).policy
    if attempt.method is None or attempt.method.card.country == "IN" or not invoice.auto_advance:
        return None
    if invoice.billing_reason == "subscription_create" or invoice.attempt_count > len(policy.delays):
        return None
    return now + policy.delays[invoice.attempt_count - 1]


def give_up(ledger: Ledger, invoice: Invoice, now: int) -> None:
    """The end of the schedule, for the subscription and then for the invoice."""
    standing.end_of_schedule(ledger, invoice, now)
    policy = ledger.get(Subscription, invoice.subscription).policy
    invoice = ledger.get(Invoice, invoice.id)
    if policy.invoice_at_end == "mark_uncollectible":
        mark_uncollectible(ledger, invoice, now, reason="max_payment_attempts")


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
        payments.cancel_intent(ledger, paid, now)
    ledger.emit("invoice.paid", paid, at=now)
    if not out_of_band:
        ledger.emit("invoice.payment_succeeded", paid, at=now)
    standing.set_delinquent(ledger, invoice.customer, False, now)
    standing.settle(ledger, paid, now)
    return paid


def pay(
    ledger: Ledger,
    invoice: Invoice,
    now: int,
    *,
    method: PaymentMethod | None = None,
    on_session: bool = False,
) -> Attempt:
    """A try by hand; a refusal is in the returned attempt. Raises ApiError when nothing can be tried."""
    if invoice.status == "draft":
        invoice = finalize(ledger, invoice, now)
    if invoice.status == "paid":
        raise ApiError.invalid("Invoice is already paid")
    if not invoice.payable:
        raise ApiError.invalid(f"You cannot pay an invoice that is {invoice.status}.")
    subscription = ledger.get(Subscription, invoice.subscription)
    method = method or payments.payment_method_of(ledger, subscription)
    if method is None:
        raise ApiError.invalid(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set a default "
            "payment method, or pass one as `payment_method`.",
            code="missing",
        )
    attempt = payments.attempt(ledger, invoice, method, now, on_session=on_session)
    record(ledger, invoice, attempt, now, automatic=False)
    if attempt.succeeded and subscription.save_default_payment_method:
        _remember_on_subscription(ledger, invoice.subscription, method.id, now)
    return attempt


def _remember_on_subscription(ledger: Ledger, subscription_id: str, method_id: str, now: int) -> None:
    subscription = ledger.get(Subscription, subscription_id)
    if subscription.default_payment_method != method_id and not subscription.ended:
        changed = replace(subscription, default_payment_method=method_id)
        ledger.change("customer.subscription.updated", changed, at=now)


def void(ledger: Ledger, invoice: Invoice, now: int) -> Invoice:
    """Nothing is owed any more, as if it had never been; raises ApiError unless open or uncollectible."""
    if not invoice.payable:
        raise ApiError.invalid(f"You can only pass in open invoices. This invoice is {invoice.status}.")
    gone = replace(invoice, status="void", voided_at=now, auto_advance=False, next_payment_attempt=None)
    ledger.change("invoice.voided", gone, at=now)
    payments.cancel_intent(ledger, gone, now)
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
