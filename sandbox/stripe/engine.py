"""The simulated account: customers, cards, subscriptions, and the clocks that move them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from sandbox.stripe import clocks, customers, invoices, standing, subscriptions
from sandbox.stripe.cards import Card
from sandbox.stripe.ledger import Ledger, R
from sandbox.stripe.payments import Attempt
from sandbox.stripe.periods import seconds
from sandbox.stripe.policy import RetryPolicy, smart_retries
from sandbox.stripe.records import (
    Charge,
    Customer,
    Event,
    Invoice,
    PaymentIntent,
    PaymentMethod,
    Price,
    Product,
    Subscription,
    TestClock,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


class BillingEngine:
    """Every method is one locked step and may be called from any thread.

    Objects come back as immutable records; `get` reads their present state. Methods raise ApiError where
    Stripe would refuse, and UnknownObjectError for an unknown id. Customers without a test clock live in the
    account's own time, which also moves by `advance` only.
    """

    def __init__(self, *, seed: int = 0, now: datetime = START, policy: RetryPolicy | None = None) -> None:
        self.ledger = Ledger(seed=seed, now=seconds(now), policy=policy or smart_retries())

    # time

    def create_clock(self, frozen_time: datetime, name: str | None = None) -> TestClock:
        """A test clock standing at `frozen_time`."""
        with self.ledger.lock:
            return clocks.create(self.ledger, seconds(frozen_time), name)

    def advance(self, clock: TestClock | None, to: datetime) -> None:
        """Move a test clock, or with None the account's own time, doing everything due on the way."""
        if clock is None:
            self._run(None, seconds(to))
            with self.ledger.lock:
                self.ledger.set_time(None, max(seconds(to), self.ledger.now(None)))
            return
        self.begin_advance(clock.id, seconds(to))
        self.finish_advance(clock.id)

    def begin_advance(self, clock_id: str, to: int) -> TestClock:
        """Announce the move; the clock is `advancing` until `finish_advance`."""
        with self.ledger.lock:
            return clocks.begin(self.ledger, self.ledger.get(TestClock, clock_id), to)

    def finish_advance(self, clock_id: str) -> TestClock:
        """Do what is due up to the announced target; the lock is free between two steps."""
        target = self.get(TestClock, clock_id).target
        if target is not None:
            self._run(clock_id, target)
        with self.ledger.lock:
            return clocks.finish(self.ledger, self.ledger.get(TestClock, clock_id))

    def _run(self, clock: str | None, until: int) -> None:
        busy = True
        while busy:
            with self.ledger.lock:
                busy = clocks.step(self.ledger, clock, until)

    def now(self, clock: TestClock | None = None) -> datetime:
        """The time of a test clock, or of the account itself."""
        with self.ledger.lock:
            return datetime.fromtimestamp(self.ledger.now(clock.id if clock else None), UTC)

    # customers and cards

    def create_price(
        self,
        unit_amount: int = 2000,
        currency: str = "usd",
        *,
        interval: Literal["day", "week", "month", "year"] = "month",
        interval_count: int = 1,
        product_name: str = "Team plan",
    ) -> Price:
        """A product with one recurring price, in the currency's minor unit."""
        with self.ledger.lock:
            now = self.ledger.now(None)
            product = self.ledger.put(Product(id=self.ledger.ids.new("prod"), created=now, name=product_name))
            return self.ledger.put(
                Price(
                    id=self.ledger.ids.new("price"),
                    created=now,
                    product=product.id,
                    product_name=product_name,
                    currency=currency,
                    unit_amount=unit_amount,
                    interval=interval,
                    interval_count=interval_count,
                )
            )

    def create_customer(
        self,
        email: str | None,
        name: str | None = None,
        *,
        clock: TestClock | None = None,
        card: Card | None = None,
        preferred_locales: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        country: str | None = None,
    ) -> Customer:
        """A customer, with `card` attached and made the default when one is given."""
        with self.ledger.lock:
            now = self.ledger.now(clock.id if clock else None)
            customer = Customer(
                id=self.ledger.ids.new("cus"),
                created=now,
                email=email,
                name=name,
                test_clock=clock.id if clock else None,
                preferred_locales=tuple(preferred_locales),
                metadata=dict(metadata or {}),
                country=country,
            )
            customer = customers.create(self.ledger, customer, now)
            if card is not None:
                customers.save_card(self.ledger, customer, card, now)
            return self.ledger.get(Customer, customer.id)

    def save_card(self, customer: Customer, card: Card) -> PaymentMethod:
        """The customer enters a new card in the portal; it becomes the default, and nothing is retried."""
        with self.ledger.lock:
            return customers.save_card(
                self.ledger, self.ledger.get(Customer, customer.id), card, self._time(customer)
            )

    def network_updates_card(self, method: PaymentMethod, card: Card) -> PaymentMethod:
        """The card network reports new details for a saved card; its script begins anew."""
        with self.ledger.lock:
            known = self.ledger.get(PaymentMethod, method.id)
            owner = self.ledger.get(Customer, known.customer or "")
            return customers.replace_card(self.ledger, known, card, self._time(owner), by_network=True)

    def detach_card(self, method: PaymentMethod) -> PaymentMethod:
        """Take a saved card away from its customer."""
        with self.ledger.lock:
            known = self.ledger.get(PaymentMethod, method.id)
            owner = self.ledger.get(Customer, known.customer or "")
            return customers.detach(self.ledger, known, self._time(owner))

    def delete_customer(self, customer: Customer) -> Customer:
        """Delete; every subscription is cancelled."""
        with self.ledger.lock:
            known = self.ledger.get(Customer, customer.id)
            return customers.delete(self.ledger, known, self._time(customer))

    # subscriptions

    def create_subscription(
        self,
        customer: Customer,
        price: Price,
        *,
        quantity: int = 1,
        policy: RetryPolicy | None = None,
        trial_days: int = 0,
        metadata: Mapping[str, str] | None = None,
        payment_method: PaymentMethod | None = None,
        save_default_payment_method: bool = False,
    ) -> Subscription:
        """Subscribe and charge the first period now; a decline leaves the subscription `incomplete`.

        The first charge is the first outcome of the card's script. `payment_method` becomes the
        subscription's own default, which goes before the customer's.
        """
        with self.ledger.lock:
            return subscriptions.create(
                self.ledger,
                self.ledger.get(Customer, customer.id),
                [(price, quantity)],
                now=self._time(customer),
                policy=policy or self.ledger.policy,
                trial_days=trial_days,
                metadata=dict(metadata or {}),
                default_payment_method=payment_method.id if payment_method else None,
                save_default_payment_method=save_default_payment_method,
            )

    def cancel(self, subscription: Subscription, *, at_period_end: bool = False) -> Subscription:
        """Cancel on request, at once or when the paid period is over."""
        with self.ledger.lock:
            known = self.ledger.get(Subscription, subscription.id)
            now = self._time(known)
            if not at_period_end:
                return standing.end(self.ledger, known, "cancellation_requested", now)
            planned = subscriptions.with_cancellation(known, True, now)
            return self.ledger.change("customer.subscription.updated", planned, at=now)

    def keep(self, subscription: Subscription) -> Subscription:
        """Take back a cancellation at the period's end."""
        with self.ledger.lock:
            known = self.ledger.get(Subscription, subscription.id)
            now = self._time(known)
            kept = subscriptions.with_cancellation(known, False, now)
            return self.ledger.change("customer.subscription.updated", kept, at=now)

    def pause(self, subscription: Subscription) -> Subscription:
        """Pause on request, which is not a matter of dunning."""
        with self.ledger.lock:
            known = self.ledger.get(Subscription, subscription.id)
            return standing.pause(self.ledger, known, "pause_requested", self._time(known))

    def resume(self, subscription: Subscription) -> Subscription:
        """Resume a paused subscription with a new period from now."""
        with self.ledger.lock:
            known = self.ledger.get(Subscription, subscription.id)
            return subscriptions.resume(self.ledger, known, self._time(known))

    # invoices

    def pay_invoice(self, invoice: Invoice, *, card: Card | None = None, on_session: bool = False) -> Attempt:
        """A try by hand, with the saved card or with a new one that is then saved; look at `.succeeded`."""
        with self.ledger.lock:
            known = self.ledger.get(Invoice, invoice.id)
            now = self._time(known)
            method = None
            if card is not None:
                owner = self.ledger.get(Customer, known.customer)
                method = customers.new_payment_method(
                    self.ledger, card, now, name=owner.name, email=owner.email
                )
                method = customers.attach(self.ledger, method, owner, now)
            return invoices.pay(self.ledger, known, now, method=method, on_session=on_session)

    def confirm_payment(self, invoice: Invoice) -> Attempt:
        """The customer is there and authenticates with the bank."""
        return self.pay_invoice(invoice, on_session=True)

    def pay_out_of_band(self, invoice: Invoice) -> Invoice:
        """Mark as paid outside Stripe."""
        with self.ledger.lock:
            known = self.ledger.get(Invoice, invoice.id)
            return invoices.settle(self.ledger, known, self._time(known), out_of_band=True)

    def void_invoice(self, invoice: Invoice) -> Invoice:
        """Void an open or uncollectible invoice."""
        with self.ledger.lock:
            known = self.ledger.get(Invoice, invoice.id)
            return invoices.void(self.ledger, known, self._time(known))

    def write_off(self, invoice: Invoice) -> Invoice:
        """Mark an open invoice uncollectible."""
        with self.ledger.lock:
            known = self.ledger.get(Invoice, invoice.id)
            return invoices.mark_uncollectible(self.ledger, known, self._time(known))

    # reading

    def get(self, kind: type[R], object_id: str) -> R:
        """The object's present state."""
        with self.ledger.lock:
            return self.ledger.get(kind, object_id)

    def refresh(self, record: R) -> R:
        """The present state of an object held from before."""
        return self.get(type(record), record.id)

    def latest_invoice(self, subscription: Subscription) -> Invoice:
        """The subscription's newest invoice."""
        return self.get(Invoice, self.refresh(subscription).latest_invoice or "")

    def invoices(self, subscription: Subscription) -> list[Invoice]:
        """The subscription's invoices, oldest first."""
        with self.ledger.lock:
            return self.ledger.of(Invoice, subscription.id)

    def charges(self, customer: Customer) -> list[Charge]:
        """Charges that really happened, oldest first."""
        with self.ledger.lock:
            return self.ledger.of(Charge, customer.id)

    def payment_intent(self, invoice: Invoice) -> PaymentIntent:
        """The intent that pays an invoice."""
        return self.get(PaymentIntent, self.refresh(invoice).payment_intent or "")

    def events(self, *types: str) -> list[Event]:
        """All events so far in the order they happened, or those of the given types."""
        with self.ledger.lock:
            return [each for each in self.ledger.all(Event) if not types or each.type in types]

    def _time(self, record: Customer | Subscription | Invoice) -> int:
        return self.ledger.now(record.test_clock)
