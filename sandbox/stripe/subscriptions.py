"""The life of a subscription: created, renewed, cancelled, resumed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sandbox.stripe import collection, invoices, payments, standing
from sandbox.stripe.errors import ApiError
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.periods import period_start
from sandbox.stripe.policy import RetryPolicy
from sandbox.stripe.records import Customer, Invoice, InvoiceLine, Price, Subscription, SubscriptionItem

# Stripe gives the first payment, and a resumption invoice, 23 hours.
PATIENCE = 23 * 3600


def create(
    ledger: Ledger,
    customer: Customer,
    prices: Sequence[tuple[Price, int]],
    *,
    now: int,
    policy: RetryPolicy,
    trial_end: int | None = None,
    metadata: Mapping[str, str],
    default_payment_method: str | None = None,
    save_default_payment_method: bool = False,
    charge: bool = True,
    on_session: bool = False,
) -> Subscription:
    """Start a subscription and take its first payment; raises ApiError without a card to charge.

    Without `charge` the first invoice is left open for the customer to pay.
    """
    anchor = now if trial_end is None else trial_end
    price = prices[0][0]
    subscription = Subscription(
        id=ledger.ids.new("sub"),
        created=now,
        customer=customer.id,
        test_clock=customer.test_clock,
        items=tuple(
            SubscriptionItem(id=ledger.ids.new("si"), price=each, quantity=quantity)
            for each, quantity in prices
        ),
        policy=policy,
        anchor=anchor,
        period=0 if trial_end is None else -1,
        current_period_start=now,
        current_period_end=anchor
        if trial_end
        else period_start(anchor, price.interval, price.interval_count, 1),
        status="trialing" if trial_end else "incomplete",
        trial_start=now if trial_end else None,
        trial_end=trial_end,
        metadata=metadata,
        default_payment_method=default_payment_method,
        save_default_payment_method=save_default_payment_method,
    )
    if charge and not trial_end and payments.payment_method_of(ledger, subscription) is None:
        raise ApiError.invalid(
            "This customer has no attached payment source or default payment method. Please consider adding "
            "a default payment method.",
            code="resource_missing",
        )
    if customer.currency is None:
        ledger.put(replace(customer, currency=price.currency))
    _first_payment(ledger, ledger.put(subscription), now, charge=charge, on_session=on_session)
    return ledger.get(Subscription, subscription.id)


def _first_payment(
    ledger: Ledger, subscription: Subscription, now: int, *, charge: bool, on_session: bool
) -> None:
    free = subscription.status == "trialing"
    invoice = _bill(ledger, subscription, "subscription_create", (now, now), now, free=free)
    ledger.emit("customer.subscription.created", ledger.get(Subscription, subscription.id), at=now)
    ledger.emit("invoice.created", invoice, at=now)
    ledger.plan(subscription.test_clock, subscription.current_period_end, "renew", subscription.id)
    opened = invoices.finalize(ledger, invoice, now)
    if charge or opened.total == 0:
        collection.collect(ledger, opened, now, on_session=on_session)
    if ledger.get(Subscription, subscription.id).status == "incomplete":
        ledger.plan(subscription.test_clock, now + PATIENCE, "expire", subscription.id)


def _bill(
    ledger: Ledger,
    subscription: Subscription,
    reason: str,
    period: tuple[int, int],
    now: int,
    *,
    free: bool = False,
) -> Invoice:
    lines = tuple(
        InvoiceLine(
            id=ledger.ids.new("il"),
            item=item,
            amount=0 if free else item.price.unit_amount * item.quantity,
            start=subscription.current_period_start,
            end=subscription.current_period_end,
        )
        for item in subscription.items
    )
    invoice = invoices.draft(ledger, subscription, reason=reason, lines=lines, period=period, now=now)
    ledger.put(replace(subscription, latest_invoice=invoice.id))
    return invoice


def renew(ledger: Ledger, subscription: Subscription, now: int) -> None:
    """A period is over: end where that was asked for, else open the next one and write its invoice."""
    if subscription.cancel_at_period_end:
        standing.end(ledger, subscription, "cancellation_requested", now)
        return
    if subscription.status not in ("active", "trialing", "past_due", "unpaid"):
        return
    before = subscription
    renewed = ledger.put(_next_period(subscription))
    period = (before.current_period_start, before.current_period_end)
    ledger.emit("invoice.created", _bill(ledger, renewed, "subscription_cycle", period, now), at=now)
    renewed = ledger.get(Subscription, subscription.id)
    ledger.emit("customer.subscription.updated", renewed, at=now, before=before)
    ledger.plan(renewed.test_clock, renewed.current_period_end, "renew", renewed.id)


def _next_period(subscription: Subscription) -> Subscription:
    price = subscription.items[0].price
    number = subscription.period + 1
    return replace(
        subscription,
        period=number,
        status="active" if subscription.status == "trialing" else subscription.status,
        current_period_start=period_start(subscription.anchor, price.interval, price.interval_count, number),
        current_period_end=period_start(
            subscription.anchor, price.interval, price.interval_count, number + 1
        ),
    )


def expire(ledger: Ledger, subscription: Subscription, now: int) -> None:
    """The first payment did not come in time: the subscription never was."""
    if subscription.status != "incomplete":
        return
    expired = replace(subscription, status="incomplete_expired", ended_at=now, canceled_at=now)
    ledger.change("customer.subscription.updated", expired, at=now)
    _void_open(ledger, subscription, now)


def resume(ledger: Ledger, subscription: Subscription, now: int) -> Subscription:
    """Start a paused subscription again with a new period from now, once its invoice is paid.

    Raises ApiError when it is not paused. Unpaid after 23 hours, the invoice is voided and the pause goes on.
    """
    if subscription.status != "paused":
        raise ApiError.invalid(
            f"You can only resume a subscription that is paused. Its status is {subscription.status}."
        )
    rebased = ledger.put(_next_period(replace(subscription, anchor=now, period=-1)))
    period = (subscription.current_period_start, subscription.current_period_end)
    invoice = _bill(ledger, rebased, "subscription_update", period, now)
    ledger.emit("invoice.created", invoice, at=now)
    attempt = collection.collect(ledger, invoices.finalize(ledger, invoice, now), now)
    current = ledger.get(Subscription, subscription.id)
    if not attempt.succeeded:
        ledger.plan(subscription.test_clock, now + PATIENCE, "abandon", invoice.id)
        return current
    return standing.reactivate(ledger, current, now) if current.status == "paused" else current


def _void_open(ledger: Ledger, subscription: Subscription, now: int) -> None:
    for invoice in ledger.of(Invoice, subscription.id):
        if invoice.status == "open":
            invoices.void(ledger, invoice, now)


def with_cancellation(subscription: Subscription, wanted: bool, now: int) -> Subscription:
    """The subscription with a cancellation at the period's end set, or taken back."""
    return replace(
        subscription,
        cancel_at_period_end=wanted,
        cancel_at=subscription.current_period_end if wanted else None,
        canceled_at=now if wanted else None,
        cancellation_reason="cancellation_requested" if wanted else None,
    )
