"""Customers who live the same life side by side, and what an outsider could tell of each of them.

Each has a worker of their own for one piece of its work, which is ended at another point of it.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from db import models
from emails.message import message_id
from sandbox.stripe import Card, RetryPolicy, custom_schedule
from sandbox.stripe.records import Charge, Subscription
from tests.chaos.failpoints import Failpoints, Port
from tests.scenarios.story import RENEWAL
from tests.scenarios.world import DOMAIN, START, World
from worker.courier import Courier
from worker.queues import Wakeup
from worker.services import Services

# Longer than any lease, rest or wait that a process which was ended leaves behind.
ALL_RUN_OUT = timedelta(minutes=6)
# Looks of the scheduler after which everything must be done.
LOOKS = 6
# What Stripe says of a charge that fails, as far as we need to hear it.
FAILURE, CLOCK = "invoice.payment_failed", "test_helpers.test_clock.ready"
Facts = Counter[str]


class Crowd:
    """So many customers whose renewal fails; `world` carries out for them whatever nobody is ended in.

    They live by the wall clock, or `on_clock` by a test clock, which processes of their own go by as well.
    """

    def __init__(
        self, world: World, size: int, *, retries: RetryPolicy | None = None, on_clock: bool = False
    ) -> None:
        self.world = world
        self._earlier = len(world.inbox.messages)
        engine = world.stripe.engine
        price = engine.create_price(1900, "usd", interval="month", product_name="Team plan")
        schedule = retries or custom_schedule(30, at_end="past_due")
        self._clock = engine.create_clock(START) if on_clock else None
        self.subscriptions: list[Subscription] = []
        for number in range(size):
            card = Card(outcomes=("ok", *["insufficient_funds"] * 9), country="GB")
            email = f"customer{number}@shop.example"
            customer = engine.create_customer(email, card=card, clock=self._clock)
            self.subscriptions.append(engine.create_subscription(customer, price, policy=schedule))
        # What Stripe says of their first month came before we were there.
        world.hear()

    def fail(self, *held: Wakeup) -> None:
        """The charge fails, and all that follows from it happens but what waits for these actors."""
        self.world.held = set(held)
        self.pass_to(0)
        self.world.deliver([event for event in self.world.hear() if event.type in (FAILURE, CLOCK)])

    def until(self, day: float) -> None:
        """Live on until so many days after that charge."""
        to = RENEWAL + timedelta(days=day)
        while self.world.now < to:
            stop = self.world.next_due(None, self.world.now)
            self.world.advance(None, min(stop or to, to))

    def pass_to(self, day: float) -> None:
        """So many days after that charge, with nobody looking at what is due."""
        self.world.now, engine = RENEWAL + timedelta(days=day), self.world.stripe.engine
        engine.advance(self._clock and engine.refresh(self._clock), self.world.now)

    def customer_ids(self) -> list[int]:
        """Their row ids, in their own order."""
        ids = {row.ref: row.id for row in self.world.rows(models.customers)}
        return [ids[each.customer] for each in self.subscriptions]

    def waiting(self, kind: str) -> list[list[int]]:
        """The outbox rows of a kind that wait, of each of them."""
        rows = [row for row in self.world.rows(models.outbox) if row.status == "pending" and row.kind == kind]
        return [[row.id for row in rows if row.customer_id == owner] for owner in self.customer_ids()]

    def unheard(self) -> list[list[int]]:
        """The inbox rows that wait, of each of them."""
        rows = [row for row in self.world.rows(models.inbox) if row.status == "pending"]
        owners = {row.id: json.loads(row.payload)["data"]["object"].get("customer") for row in rows}
        return [
            [row for row, owner in owners.items() if owner == each.customer] for each in self.subscriptions
        ]

    def recover(self) -> None:
        """Nobody is ended any more: leases run out, the scheduler looks, and others go on."""
        self.world.held = set()
        left = LOOKS
        while self.world.unfinished():
            assert left, "it is not done"
            left -= 1
            self.world.machine_time(ALL_RUN_OUT)

    def told(self) -> list[Facts]:
        """What became of each of them, in words without ids: how often each thing has happened."""
        facts = [Facts() for _ in self.subscriptions]
        place = {owner: number for number, owner in enumerate(self.customer_ids())}
        arrived = Counter(
            str(mail.message["Message-ID"]) for mail in self.world.inbox.messages[self._earlier :]
        )
        for row in self.world.rows(models.outbox):
            mine, name = facts[place[row.customer_id]], f"{_plain(row.step)} by {row.channel}"
            mine[f"{row.status}: {name}"] += 1
            if row.channel == "mail":
                mine[f"arrived: {name}"] += arrived[message_id(row.step, DOMAIN)]
        for row in self.world.rows(models.journal):
            step = _plain(row.data.get("step", ""))
            facts[place[row.customer_id]][f"journal: {row.kind} {row.reason} {step}"] += 1
        for row in self.world.rows(models.outgoing):
            facts[place[row.customer_id]][f"told: {row.type}"] += 1
        for row in self.world.rows(models.access):
            facts[place[row.customer_id]][f"access: {row.level} {row.reason}"] += 1
        for row in self.world.rows(models.cases):
            facts[place[row.customer_id]][f"case: {row.outcome}, looked at again {row.due_at}"] += 1
        ledger = self.world.stripe.engine.ledger
        refs = {each.customer: number for number, each in enumerate(self.subscriptions)}
        for charge in ledger.all(Charge):
            facts[refs[charge.customer]][f"charged: {charge.decline is None}"] += 1
        return facts


def _plain(step: str) -> str:
    return ":".join(part for part in step.split(":") if not part.startswith(("in_", "sub_")))


def watched(world: World, failpoints: Failpoints) -> tuple[Services, Courier]:
    """A worker's parts, as new, with everything outside behind ports."""
    services, courier = world.services, world.courier
    gateways: Any = {name: Port(gateway, failpoints) for name, gateway in services.gateways.items()}
    nudge = failpoints.nudging(services.nudge)
    port: Any = Port(replace(courier), failpoints)
    return replace(services, gateways=gateways, nudge=nudge), port
