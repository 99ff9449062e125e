"""What a customer does on the hosted pages, each step under the account's lock."""

from sandbox.stripe import checkout, customers, payments, portal, presence
from sandbox.stripe.cards import Card
from sandbox.stripe.errors import ApiError
from sandbox.stripe.payments import Attempt
from sandbox.stripe.people import People
from sandbox.stripe.records import (
    CheckoutSession,
    Customer,
    Invoice,
    PaymentMethod,
    PortalSession,
    SetupIntent,
    Subscription,
)


class Visitors(People):
    """Payments and cards of a customer who is there and answers the bank's questions."""

    def card_on_file(self, invoice: Invoice) -> PaymentMethod | None:
        """What the invoice is charged to if nothing else is said."""
        with self.ledger.lock:
            return payments.payment_method_of(
                self.ledger, self.ledger.get(Subscription, invoice.subscription)
            )

    def default_card(self, customer_id: str) -> PaymentMethod | None:
        """The customer's own default."""
        with self.ledger.lock:
            chosen = self.ledger.get(Customer, customer_id).default_payment_method
            return self.ledger.get(PaymentMethod, chosen) if chosen else None

    def asked_by_bank(self, invoice: Invoice) -> PaymentMethod | None:
        """The card whose bank waits for the customer's answer."""
        with self.ledger.lock:
            return presence.waiting(self.ledger, self.ledger.get(Invoice, invoice.id))

    def is_under_way(self, invoice: Invoice) -> bool:
        """Whether a bank has still to answer to a payment."""
        with self.ledger.lock:
            return payments.is_under_way(self.ledger, self.ledger.get(Invoice, invoice.id))

    def pay_on_page(self, invoice: Invoice, card: Card | None) -> Attempt:
        """With the card on file, or with one entered now, which is saved once it has paid.

        `action_required`: nothing is charged before `answer_bank`. Raises ApiError.
        """
        with self.ledger.lock:
            known = self.ledger.get(Invoice, invoice.id)
            now = self._time(known)
            method = self.card_on_file(known) if card is None else self._entered(known, card, now)
            if method is None:
                raise ApiError.invalid("There is no card on file.", code="missing")
            return presence.pay(self.ledger, known, method, now)

    def answer_bank(self, invoice: Invoice, *, confirmed: bool) -> Attempt:
        """Confirm the payment, or do not; raises ApiError when the bank has not asked."""
        with self.ledger.lock:
            known = self.ledger.get(Invoice, invoice.id)
            return presence.answer(self.ledger, known, self._time(known), confirmed=confirmed)

    def visit_portal(self, session: PortalSession) -> PortalSession | None:
        """Step into the portal; None when the session has expired."""
        with self.ledger.lock:
            return portal.visit(self.ledger, self.ledger.get(PortalSession, session.id))

    def enter_in_portal(self, session: PortalSession, card: Card) -> SetupIntent:
        """Enter another card; the intent's status says what came of it."""
        with self.ledger.lock:
            return portal.enter(self.ledger, self.ledger.get(PortalSession, session.id), card)

    def answer_in_portal(self, session: PortalSession, *, confirmed: bool) -> SetupIntent:
        """Confirm the new card, or do not; raises ApiError when the bank has not asked."""
        with self.ledger.lock:
            known = self.ledger.get(PortalSession, session.id)
            return portal.answer(self.ledger, known, confirmed=confirmed)

    def check_out(self, session: CheckoutSession, card: Card | None) -> Attempt:
        """Complete the session with a card entered now, or with the customer's default.

        `action_required`: nothing is bought before `answer_in_checkout`. Raises ApiError.
        """
        with self.ledger.lock:
            known = self.ledger.get(CheckoutSession, session.id)
            if card is not None:
                return checkout.enter(self.ledger, known, card)
            saved = self.default_card(known.customer)
            if saved is None:
                raise ApiError.invalid("There is no card on file.", code="missing")
            return checkout.use(self.ledger, known, saved)

    def answer_in_checkout(self, session: CheckoutSession, *, confirmed: bool) -> Attempt:
        """Confirm what is bought, or do not; raises ApiError when the bank has not asked."""
        with self.ledger.lock:
            known = self.ledger.get(CheckoutSession, session.id)
            return checkout.answer(self.ledger, known, confirmed=confirmed)

    def _entered(self, invoice: Invoice, card: Card, now: int) -> PaymentMethod:
        owner = self.ledger.get(Customer, invoice.customer)
        return customers.new_payment_method(self.ledger, card, now, name=owner.name, email=owner.email)
