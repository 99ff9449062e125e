"""Customers, their cards, and what they can buy."""

from collections.abc import Mapping, Sequence
from typing import Literal

from sandbox.stripe import customers, setups
from sandbox.stripe.cards import Card
from sandbox.stripe.records import Customer, PaymentMethod, Price, Product, TestClock
from sandbox.stripe.timeline import Timeline


class People(Timeline):
    """What customers do apart from their subscriptions."""

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
                setups.save(self.ledger, customer, card, now)
            return self.ledger.get(Customer, customer.id)

    def save_card(self, customer: Customer, card: Card) -> PaymentMethod:
        """The customer enters a new card in the portal; it becomes the default, and nothing is retried."""
        with self.ledger.lock:
            return setups.save(
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
