"""Collecting an invoice: the automatic attempts with their schedule, and tries by hand."""

from dataclasses import replace

from sandbox.stripe import invoices, payments, standing
from sandbox.stripe.errors import ApiError
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.payments import Attempt
from sandbox.stripe.records import Charge, Invoice, PaymentMethod, Subscription


def collect(ledger: Ledger, invoice: Invoice, now: int, *, on_session: bool = False) -> Attempt:
    """The automatic attempt that is due. A card refused for good is counted, but not charged."""
    if invoice.collection_method == "send_invoice":
        return Attempt()
    if invoice.total == 0:
        invoices.settle(ledger, replace(invoice, attempted=True), now)
        return Attempt()
    subscription = ledger.get(Subscription, invoice.subscription)
    method = payments.payment_method_of(ledger, subscription)
    if method is None:
        attempt = Attempt()
    elif method.id == invoice.refused:
        attempt = Attempt(method=method, skipped=True)
    else:
        attempt = payments.attempt(ledger, invoice, method, now, on_session=on_session)
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
    if attempt.pending:
        standing.mark_begun(ledger, invoice, now)
        return ledger.change("invoice.updated", replace(tried, next_payment_attempt=None), at=now)
    if attempt.succeeded:
        return invoices.settle(ledger, tried, now)
    return _fail(ledger, tried, attempt, now, schedule=counted)


def clear(ledger: Ledger, charge: Charge, now: int) -> None:
    """The bank answers, days after the attempt was made; a refusal is rescheduled only now."""
    attempt = payments.clear(ledger, charge, now)
    invoice = ledger.get(Invoice, charge.invoice)
    if attempt is None or not invoice.payable:
        return
    if attempt.succeeded:
        invoices.settle(ledger, invoice, now)
    else:
        _fail(ledger, invoice, attempt, now, schedule=True)


def _fail(ledger: Ledger, invoice: Invoice, attempt: Attempt, now: int, *, schedule: bool) -> Invoice:
    policy = ledger.get(Subscription, invoice.subscription).policy
    failed = replace(invoice, refused=_refused(invoice, attempt))
    retry_at = invoice.next_payment_attempt
    if schedule:
        retry_at = _next_attempt(ledger, failed, attempt, now)
        failed = replace(failed, next_payment_attempt=None if policy.automations else retry_at)
        ledger.change("invoice.updated", failed, at=now)
    else:
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
    """When Stripe tries again: only a card, not an Indian one, and not for a first payment."""
    policy = ledger.get(Subscription, invoice.subscription).policy
    if attempt.method is None or not invoice.auto_advance:
        return None
    if attempt.method.card.type != "card" or attempt.method.card.country == "IN":
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
        invoices.mark_uncollectible(ledger, invoice, now, reason="max_payment_attempts")


def pay(
    ledger: Ledger,
    invoice: Invoice,
    now: int,
    *,
    method: PaymentMethod | None = None,
    on_session: bool = False,
) -> Attempt:
    """A try by hand; a refusal is in the returned attempt. Raises ApiError when nothing can be tried."""
    invoice = ready(ledger, invoice, now)
    subscription = ledger.get(Subscription, invoice.subscription)
    method = method or on_file(ledger, invoice)
    attempt = payments.attempt(ledger, invoice, method, now, on_session=on_session)
    record(ledger, invoice, attempt, now, automatic=False)
    if attempt.succeeded and subscription.save_default_payment_method:
        _remember_on_subscription(ledger, invoice.subscription, method.id, now)
    return attempt


def on_file(ledger: Ledger, invoice: Invoice) -> PaymentMethod:
    """The card that is charged next; raises ApiError where there is none."""
    method = payments.payment_method_of(ledger, ledger.get(Subscription, invoice.subscription))
    if method is None:
        raise ApiError.invalid(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set a default "
            "payment method, or pass one as `payment_method`.",
            code="missing",
        )
    return method


def ready(ledger: Ledger, invoice: Invoice, now: int) -> Invoice:
    """The invoice as it may be paid by hand, a draft finalised; raises ApiError when it may not be."""
    if invoice.status == "draft":
        invoice = invoices.finalize(ledger, invoice, now)
    if invoice.status == "paid":
        raise ApiError.invalid("Invoice is already paid")
    if not invoice.payable:
        raise ApiError.invalid(f"You cannot pay an invoice that is {invoice.status}.")
    if payments.is_under_way(ledger, invoice):
        raise ApiError.invalid(
            "You cannot pay this invoice while a payment of it is processing.",
            code="payment_intent_unexpected_state",
        )
    return invoice


def _remember_on_subscription(ledger: Ledger, subscription_id: str, method_id: str, now: int) -> None:
    subscription = ledger.get(Subscription, subscription_id)
    if subscription.default_payment_method != method_id and not subscription.ended:
        changed = replace(subscription, default_payment_method=method_id)
        ledger.change("customer.subscription.updated", changed, at=now)
