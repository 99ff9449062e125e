"""Stripe accounts of one installation, each with a customer of the same id, and all ids alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from db.models import access, customers
from providers.stripe import SYSTEM
from providers.stripe.settings import StripeApi
from sandbox.stripe import NEW, BillingEngine, Card, custom_schedule
from sandbox.stripe.objects import render_event, thin_event
from sandbox.stripe.records import Customer, Event, Subscription
from sandbox.stripe.signatures import sign
from sandbox.stripe.versions import ApiVersion
from tests.scenarios.telling import Door
from tests.scenarios.world import START, World

SHAPE = ApiVersion(NEW)
CONNECTED = "acct_1Connected"
KEY_OF_DE = "sk_test_de"
SECRETS = {
    "STRIPE_WEBHOOK_SECRETS": ("whsec_main",),
    "STRIPE_ACCOUNT_WEBHOOK_SECRETS": ("de whsec_de",),
    "STRIPE_CONNECT_WEBHOOK_SECRETS": ("whsec_connect",),
}


@dataclass
class Account:
    """One of them: where its events go, and how they are signed and marked."""

    source: str
    engine: BillingEngine
    path: str
    secret: str
    marks: Mapping[str, Any] = field(default_factory=dict)
    thin: bool = False
    heard: int = 0

    def subscribe(self, amount: int) -> tuple[Customer, Subscription]:
        """Somebody whose second charge fails, and all later ones."""
        engine, card = self.engine, Card(outcomes=("ok", "insufficient_funds"))
        customer = engine.create_customer(self.email, "Ada", card=card)
        price = engine.create_price(amount, "usd", product_name=f"Plan of {self.source}")
        return customer, engine.create_subscription(customer, price, policy=custom_schedule(3, 5, 7))

    @property
    def email(self) -> str:
        return f"ada@{self.source.partition(':')[2].replace('_', '-').lower() or 'main'}.example"

    def fresh(self) -> list[Event]:
        events = self.engine.events()
        fresh, self.heard = events[self.heard :], len(events)
        return fresh

    def body(self, event: Event) -> bytes:
        """As it is sent."""
        render = thin_event if self.thin else render_event
        return json.dumps({**render(event, SHAPE), **self.marks}).encode()


class Town:
    """The main account, a further one of the settings, and one that is connected to the main one."""

    def __init__(self, world: World, door: Door) -> None:
        self.world, self.door = world, door
        self.main = Account("stripe", world.stripe.engine, "stripe", "whsec_main")
        self.de = Account("stripe:de", _same(), "stripe/de", "whsec_de")
        marks = {"context": CONNECTED}
        self.connected = Account(
            f"stripe:{CONNECTED}", _same(), "stripe/connect", "whsec_connect", marks, thin=True
        )
        self.accounts = [self.main, self.de, self.connected]
        world.stripe.add_account(KEY_OF_DE, self.de.engine)
        world.stripe.connect(CONNECTED, self.connected.engine)

    def __iter__(self) -> Iterator[Account]:
        return iter(self.accounts)

    def post(
        self, account: Account, body: bytes, *, path: str | None = None, secret: str | None = None
    ) -> int:
        """Deliver one body; the status of the answer."""
        stamp = int(self.world.now.timestamp())
        headers = {"stripe-signature": sign(body, [secret or account.secret], stamp)}
        return self.door.post(path or account.path, body, headers).status_code

    def settle(self) -> None:
        """Deliver what has happened since, of each account in turn."""
        for account in self:
            for event in account.fresh():
                assert self.post(account, account.body(event)) == 200
        self.world.tick()

    def until(self, day: float) -> None:
        """Live on until so many days after START, in steps of a day from the renewal on, at nine o'clock."""
        while self.world.now < (to := START + timedelta(days=day)):
            renewal = START + timedelta(days=31)
            self.world.now = min(max(self.world.now + timedelta(days=1), renewal), to)
            for account in self:
                account.engine.advance(None, self.world.now)
            self.settle()

    def levels(self) -> dict[str, tuple[str, str]]:
        """The access of each customer, by the source."""
        levels = {row.customer_id: row for row in self.world.rows(access)}
        rows = self.world.rows(customers)
        return {row.source: (row.ref, levels[row.id].level) for row in rows}


def _same() -> BillingEngine:
    """Another account whose objects have the ids that the main one's have."""
    return BillingEngine(seed=0, now=START)


def gateways(world: World) -> dict[str, Any]:
    """As the worker makes them of its settings."""
    given: dict[str, Any] = {
        "STRIPE_API_KEY": world.stripe.api_key,
        "STRIPE_ACCOUNTS": f"de {KEY_OF_DE}",
        "STRIPE_API_BASE": world.stripe.url,
        "DUNNING_LIVEMODE": "false",
    }
    settings = StripeApi(**given)

    async def make() -> dict[str, Any]:
        sources = ("stripe", "stripe:de", f"stripe:{CONNECTED}")
        return {source: SYSTEM.gateway(source, settings) for source in sources}

    return world.run(make())
