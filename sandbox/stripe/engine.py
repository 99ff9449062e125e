"""The simulated account: customers, cards, subscriptions, invoices, and the clocks that move them."""

from collections.abc import Mapping

from sandbox.stripe import collection, customers, invoices, refunds, standing, subscriptions
from sandbox.stripe.cards import Card
from sandbox.stripe.payments import Attempt
from sandbox.stripe.policy import DAY, RetryPolicy
from sandbox.stripe.records import Charge, Customer, Invoice, PaymentMethod, Price, Subscription
from sandbox.stripe.visitors import Visitors


class BillingEngine(Visitors):
    """Every method is one locked step and may be called from any thread.

    Objects come back as immutable records; `get` reads their present state. Methods raise ApiError where
    Stripe would refuse, and UnknownObjectError for an unknown id. Customers without a test clock live in the
    account's own time, which also moves by `advance` only.
    """

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
            now = self._time(customer)
            return subscriptions.create(
                self.ledger,
                self.ledger.get(Customer, customer.id),
                [(price, quantity)],
                now=now,
                policy=policy or self.ledger.policy,
                trial_end=now + trial_days * DAY if trial_days else None,
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
            return collection.pay(self.ledger, known, now, method=method, on_session=on_session)

    def confirm_payment(self, invoice: Invoice) -> Attempt:
        """The customer is there and authenticates with the bank."""
        return self.pay_invoice(invoice, on_session=True)

    def pay_out_of_band(self, invoice: Invoice) -> Invoice:
        """Mark as paid outside Stripe."""
        with self.ledger.lock:
            known = self.ledger.get(Invoice, invoice.id)
            return invoices.settle(self.ledger, known, self._time(known), out_of_band=True)

    def refund(self, invoice: Invoice, amount: int | None = None) -> Charge:
        """Give back what paid the invoice, all or `amount`; raises ApiError where there is not so much."""
        with self.ledger.lock:
            known = self.ledger.get(Invoice, invoice.id)
            charge = self.ledger.get(Charge, known.charge or "")
            return refunds.refund(self.ledger, charge, self._time(known), amount=amount)

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
