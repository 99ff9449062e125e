"""Customers of the simulated Stripe whose renewals succeed, fail, are paid late or never.

Three live on each test clock. A step opens a new clock, or moves one to its next day; Stripe then tells all
that has happened meanwhile. Nobody is unpaid for longer than eight days, which is less than our own grace.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from sandbox.stripe import BillingEngine, Card, RetryPolicy, custom_schedule
from sandbox.stripe.records import Customer, Subscription

# They subscribe on the first of December and renew with the new year. By three in the afternoon that has
# failed, and mails may be sent in the country of their cards.
SUBSCRIBED = datetime(2025, 12, 1, 8, tzinfo=UTC)
RENEWED = datetime(2026, 1, 1, 15, tzinfo=UTC)
DECLINED = "do_not_honor"


@dataclass(frozen=True, slots=True)
class Kind:
    """How a customer lives: what the card answers to the renewal's charges, and the day they pay by hand."""

    name: str
    outcomes: tuple[str, ...]
    retries: RetryPolicy
    pays_on: int | None = None


PATIENT = custom_schedule(3, 5, 7)
SHORT = custom_schedule(3, at_end="unpaid")
GROUPS = (
    (
        Kind("pays", ("ok",), PATIENT),
        Kind("fails", (DECLINED,), PATIENT),
        Kind("recovers", (DECLINED, "ok"), PATIENT),
    ),
    (
        Kind("pays_by_hand", (DECLINED,), PATIENT, pays_on=5),
        Kind("ends", (DECLINED,), SHORT),
        Kind("returns", (DECLINED,), SHORT, pays_on=5),
    ),
)
DAYS = (0, 3, 5, 8)


@dataclass(frozen=True, slots=True)
class Person:
    """One customer."""

    kind: Kind
    customer: Customer
    subscription: Subscription


class Crowd:
    """Moves on by `step`, in an order that follows from the seed. `people` only grows."""

    def __init__(self, engine: BillingEngine, seed: int) -> None:
        self.people: list[Person] = []
        self._engine = engine
        self._random = Random(seed)  # noqa: S311  # repeatable, not a secret
        self._lives: list[Iterator[None]] = []
        self._born = 0

    def step(self) -> None:
        """One clock begins or moves on, by chance, so that a few are under way at any time."""
        if self._random.random() < 1 / (1 + len(DAYS)) or not self._lives:
            self.arrive()
            return
        life = self._random.choice(self._lives)
        if next(life, "over") == "over":
            self._lives.remove(life)

    def arrive(self) -> None:
        """Three people more, on a clock of their own."""
        life = self._life(self._born)
        self._born += 1
        next(life)
        self._lives.append(life)

    def move_all(self) -> None:
        """Every clock moves on to its next day, so that Stripe has a great deal to tell at once."""
        self._lives = [life for life in self._lives if next(life, "over") != "over"]

    def _life(self, number: int) -> Iterator[None]:
        clock = self._engine.create_clock(SUBSCRIBED, f"clock {number}")
        price = self._engine.create_price(2900)
        people = []
        for kind in GROUPS[number % len(GROUPS)]:
            card = Card(outcomes=("ok", *kind.outcomes), country="GB")
            email = f"{kind.name}{number}@customer.example"
            customer = self._engine.create_customer(email, kind.name, clock=clock, card=card)
            bought = self._engine.create_subscription(customer, price, policy=kind.retries)
            people.append(Person(kind, customer, bought))
        self.people += people
        yield
        for day in DAYS:
            self._engine.advance(clock, RENEWED + timedelta(days=day))
            for person in people:
                if person.kind.pays_on == day:
                    invoice = self._engine.latest_invoice(person.subscription)
                    self._engine.pay_invoice(invoice, card=Card(), on_session=True)
            yield
