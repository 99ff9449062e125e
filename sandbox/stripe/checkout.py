"""Checkout: a session is opened, completed at most once, or expires; only then does a subscription exist."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from sandbox.stripe import customers, probe, setups, subscriptions
from sandbox.stripe.cards import Card
from sandbox.stripe.declines import NOT_AUTHENTICATED
from sandbox.stripe.errors import ApiError
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.payments import Attempt
from sandbox.stripe.records import (
    CheckoutSession,
    Customer,
    LineItem,
    PaymentMethod,
    Price,
    SetupIntent,
)


def create(
    ledger: Ledger,
    customer: Customer,
    mode: Literal["subscription", "setup"],
    prices: Sequence[tuple[Price, int]],
    *,
    success_url: str,
    cancel_url: str | None,
    expires_at: int,
    client_reference_id: str | None,
    locale: str | None,
    currency: str | None,
    metadata: Mapping[str, str],
    subscription_metadata: Mapping[str, str],
    trial_end: int | None,
) -> CheckoutSession:
    """Open a session, which ends by itself at `expires_at`, by the customer's clock."""
    session_id = ledger.ids.new("cs")
    ledger.plan(customer.test_clock, expires_at, "lapse", session_id)
    return ledger.put(
        CheckoutSession(
            id=session_id,
            created=ledger.now(customer.test_clock),
            customer=customer.id,
            test_clock=customer.test_clock,
            mode=mode,
            line_items=tuple(
                LineItem(id=ledger.ids.new("li"), price=price, quantity=quantity)
                for price, quantity in prices
            ),
            success_url=success_url,
            cancel_url=cancel_url,
            url=f"{ledger.hosted_base_url}/hosted/checkout/{session_id}",
            expires_at=expires_at,
            client_reference_id=client_reference_id,
            locale=locale,
            currency=prices[0][0].currency if prices else currency,
            metadata=metadata,
            subscription_metadata=subscription_metadata,
            trial_end=trial_end,
        )
    )


def expire(ledger: Ledger, session: CheckoutSession) -> CheckoutSession:
    """End it unused; raises ApiError unless it is open."""
    _check_open(session)
    expired = ledger.put(replace(session, status="expired", asked=None))
    ledger.emit("checkout.session.expired", expired, at=ledger.now(session.test_clock))
    return expired


def enter(ledger: Ledger, session: CheckoutSession, card: Card) -> Attempt:
    """A card entered on the page: a decline, a question of the bank, or else the session is complete."""
    _check_open(session)
    now = ledger.now(session.test_clock)
    customer = ledger.get(Customer, session.customer)
    if session.charges:
        method = customers.new_payment_method(ledger, card, now, name=customer.name, email=customer.email)
        return use(ledger, session, method)
    return _set_up(ledger, session, setups.enter(ledger, customer, card, now, default=False))


def use(ledger: Ledger, session: CheckoutSession, method: PaymentMethod) -> Attempt:
    """The same with a card that exists; one that is saved already needs no setting up."""
    _check_open(session)
    if not session.charges:
        return _complete(ledger, session, method)
    attempt = probe.attempt(ledger, method)
    if attempt.decline is not None:
        return attempt
    if attempt.action_required:
        ledger.put(replace(session, asked=method))
        return attempt
    return _complete(ledger, session, method)


def answer(ledger: Ledger, session: CheckoutSession, *, confirmed: bool) -> Attempt:
    """What the customer has told the bank; raises ApiError when it has not asked."""
    _check_open(session)
    method = session.asked
    if method is None:
        raise ApiError.invalid("The bank has not asked.", code="payment_intent_unexpected_state")
    session = ledger.put(replace(session, asked=None))
    if session.setup is not None:
        setup = ledger.get(SetupIntent, session.setup)
        now = ledger.now(session.test_clock)
        answered = setups.answer(ledger, setup, now, confirmed=confirmed, default=False)
        return _set_up(ledger, session, answered)
    if not confirmed:
        return Attempt(method=method, decline=NOT_AUTHENTICATED)
    return _complete(ledger, session, method, asked=True)


def _check_open(session: CheckoutSession) -> None:
    if session.status != "open":
        raise ApiError.invalid(
            f"This Checkout Session has a status of {session.status}; only one that is open can be used."
        )


def _set_up(ledger: Ledger, session: CheckoutSession, setup: SetupIntent) -> Attempt:
    asks = setup.status == "requires_action"
    session = ledger.put(replace(session, setup=setup.id, asked=setup.tried if asks else None))
    if asks or setup.decline is not None:
        return Attempt(method=setup.tried, decline=setup.decline, action_required=asks)
    return _complete(ledger, session, ledger.get(PaymentMethod, setup.tried.id))


def _complete(
    ledger: Ledger, session: CheckoutSession, method: PaymentMethod, *, asked: bool = False
) -> Attempt:
    """The customer has done their part: the subscription begins, charged to this card as its own default."""
    now = ledger.now(session.test_clock)
    customer = ledger.get(Customer, session.customer)
    method = customers.attach(ledger, method, customer, now)
    done = replace(session, status="complete")
    if session.mode == "subscription":
        subscription = subscriptions.create(
            ledger,
            customer,
            [(item.price, item.quantity) for item in session.line_items],
            now=now,
            policy=ledger.policy,
            trial_end=session.trial_end,
            metadata=session.subscription_metadata,
            default_payment_method=method.id,
            on_session=True,
        )
        done = replace(done, subscription=subscription.id, invoice=subscription.latest_invoice)
    if asked:
        ledger.put(replace(method, card=method.card.authenticated()))
    ledger.emit("checkout.session.completed", ledger.put(done), at=now)
    return Attempt(method=method)
