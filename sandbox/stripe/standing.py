"""A subscription's status: what failed, settled and given-up invoices make of it."""

from dataclasses import replace

from sandbox.stripe.ledger import Ledger
from sandbox.stripe.records import Customer, Invoice, Subscription


def mark_failed(ledger: Ledger, invoice: Invoice, now: int) -> None:
    """A renewal could not be collected: the subscription is past due, or paused where so configured."""
    subscription = ledger.get(Subscription, invoice.subscription)
    if subscription.status not in ("active", "trialing"):
        return
    if subscription.policy.pause_on_first_failure:
        pause(ledger, subscription, "first_payment_failure", now)
    else:
        ledger.change("customer.subscription.updated", replace(subscription, status="past_due"), at=now)


def mark_begun(ledger: Ledger, invoice: Invoice, now: int) -> None:
    """A payment is under way: a subscription that waited for its first one begins on that promise."""
    subscription = ledger.get(Subscription, invoice.subscription)
    if subscription.status == "incomplete":
        ledger.change("customer.subscription.updated", replace(subscription, status="active"), at=now)


def end_of_schedule(ledger: Ledger, invoice: Invoice, now: int) -> None:
    """All retries are used up: do to the subscription what its policy says."""
    subscription = ledger.get(Subscription, invoice.subscription)
    if subscription.status not in ("active", "past_due", "unpaid"):
        return
    match subscription.policy.at_end:
        case "cancel":
            end(ledger, subscription, "payment_failed", now)
        case "unpaid":
            changed = replace(subscription, status="unpaid")
            ledger.change("customer.subscription.updated", changed, at=now)
        case "pause":
            pause(ledger, subscription, "final_payment_failure", now)
        case "past_due":
            pass


def end(ledger: Ledger, subscription: Subscription, reason: str, now: int) -> Subscription:
    """Cancel for good; open and draft invoices stay, but nobody collects them any more."""
    ended = ledger.put(
        replace(
            subscription,
            status="canceled",
            ended_at=now,
            canceled_at=subscription.canceled_at or now,
            cancellation_reason=subscription.cancellation_reason or reason,
        )
    )
    ledger.emit("customer.subscription.deleted", ended, at=now)
    for invoice in ledger.of(Invoice, subscription.id):
        if invoice.status in ("draft", "open") and invoice.auto_advance:
            stopped = replace(
                invoice,
                auto_advance=False,
                next_payment_attempt=None,
                automatically_finalizes_at=None,
            )
            ledger.change("invoice.updated", stopped, at=now)
    return ended


def pause(ledger: Ledger, subscription: Subscription, why: str, now: int) -> Subscription:
    """No more periods until it is resumed. `why` is the type in `status_details.paused.subscription`."""
    paused = replace(subscription, status="paused", paused_for=why, paused_at=now)
    ledger.change("customer.subscription.updated", paused, at=now)
    ledger.emit("customer.subscription.paused", paused, at=now)
    return paused


def reactivate(ledger: Ledger, subscription: Subscription, now: int) -> Subscription:
    """Resume a paused subscription; a period that ran out meanwhile is followed by a new one from now."""
    active = replace(subscription, status="active", paused_for=None, paused_at=None)
    if active.current_period_end <= now:
        active = replace(active, anchor=now, period=-1, current_period_end=now)
    ledger.change("customer.subscription.updated", active, at=now)
    ledger.emit("customer.subscription.resumed", active, at=now)
    ledger.plan(active.test_clock, active.current_period_end, "renew", active.id)
    return active


def settle(ledger: Ledger, invoice: Invoice, now: int) -> None:
    """An invoice was paid, written off or voided: see whether the subscription is in good standing again.

    `past_due` looks at the latest finalised invoice, `unpaid` at the latest of all; voided ones are skipped.
    """
    subscription = ledger.get(Subscription, invoice.subscription)
    if subscription.status == "incomplete":
        if invoice.status == "paid":
            ledger.change("customer.subscription.updated", replace(subscription, status="active"), at=now)
        return
    if subscription.status not in ("past_due", "unpaid", "paused"):
        return
    drafts_count = subscription.status == "unpaid"
    candidates = [
        each
        for each in ledger.of(Invoice, subscription.id)
        if each.status != "void" and (drafts_count or each.status != "draft")
    ]
    if candidates and candidates[-1].status not in ("paid", "uncollectible"):
        return
    if subscription.status != "paused":
        ledger.change("customer.subscription.updated", replace(subscription, status="active"), at=now)
    elif invoice.status != "void" and _resumes_by_itself(subscription):
        reactivate(ledger, subscription, now)


def _resumes_by_itself(subscription: Subscription) -> bool:
    """Only where the policy says so, and only a pause that came from a failed payment."""
    failed = subscription.paused_for in ("first_payment_failure", "final_payment_failure")
    return subscription.policy.resume_when_paid and failed


def set_delinquent(ledger: Ledger, customer_id: str, delinquent: bool, now: int) -> None:
    """Follow failures and payments, but not write-offs: Stripe leaves the mark after those."""
    customer = ledger.get(Customer, customer_id)
    if not delinquent:
        delinquent = any(each.status == "open" and each.attempted for each in ledger.of(Invoice, customer_id))
    if customer.delinquent != delinquent:
        ledger.change("customer.updated", replace(customer, delinquent=delinquent), at=now)
