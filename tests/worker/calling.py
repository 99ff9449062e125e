"""A world in which one call to the provider waits to be made, and what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from db import models
from providers.lookup import Charged, EndAction, Gateway, Lookup, Normalised
from sandbox.stripe import RetryPolicy
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World
from tests.worker.mailing import LEASE_OVER
from tests.worker.plain import plain
from worker.queues import BILLING
from worker.services import Services
from worker.usecases.call_provider import call_provider

# Stripe has no schedule of its own: it charges once and leaves the rest to us.
NO_RETRIES = RetryPolicy(delays=(), at_end="past_due")
# Three days after the first failure, and then the morning.
FIRST_RETRY = 3.95


@dataclass
class Calling:
    """`row` is the effect that waits: by default the first charge of our own."""

    world: World
    story: Story
    row: int

    async def call(self, services: Services | None = None) -> None:
        await call_provider(services or self.world.services, self.row)

    def carry_out(self, services: Services | None = None) -> None:
        self.world.run(self.call(services))

    def later(self, passed: timedelta = LEASE_OVER) -> None:
        """Machine time passes without anybody looking: only leases and waits run out."""
        self.world.run(self.world.stage.let_pass(passed))

    @property
    def effect(self) -> Any:
        return next(row for row in self.world.rows(models.outbox) if row.id == self.row)

    @property
    def status(self) -> str:
        return str(self.effect.status)

    @property
    def charges(self) -> int:
        """How often the card has really been charged for this renewal."""
        return len([each for each in self.story.charges if each.invoice == self.story.invoice.id])

    @property
    def ledger(self) -> int:
        """How many of those that failed we know of."""
        return len(self.world.rows(models.charges))

    def keys(self, path: str = "/pay") -> set[str | None]:
        """The idempotency keys of what Stripe was asked to do."""
        asked = [each for each in self.world.stripe.api.requested("POST", "/v1/") if path in each.path]
        return {each.idempotency_key for each in asked}

    def said(self, kind: str) -> list[str | None]:
        """The reasons in the journal's entries of this kind."""
        return [row.reason for row in self.story.journal() if row.kind == kind]


def calling(make_world: MakeWorld, *outcomes: str, **options: Any) -> Calling:
    """A subscriber whose renewal failed days ago; our first own charge is decided and waits."""
    world = make_world(policy=plain(retries="worker"))
    story = subscriber(world, "insufficient_funds", *outcomes, **{"retries": NO_RETRIES} | options)
    world.held = {BILLING}
    story.until(FIRST_RETRY, stops=(0,))
    (row,) = [row.id for row in world.rows(models.outbox) if row.kind == "retry"]
    return Calling(world, story, row)


class Disturbed:
    """Stripe, and something of ours happens right before or after it was asked to do something."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        before: Callable[[], Awaitable[None]] | None = None,
        after: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._gateway, self._before, self._after = gateway, before, after

    async def look_up(self, lookup: Lookup) -> Normalised:
        return await self._gateway.look_up(lookup)

    async def payment_link(self, invoice: str) -> str | None:
        return await self._gateway.payment_link(invoice)

    async def product_name(self, product: str) -> str | None:
        return await self._gateway.product_name(product)

    async def pay(self, invoice: str, key: str, *, present: bool = False, anew: bool = False) -> Charged:
        await self._happen(self._before)
        charged = await self._gateway.pay(invoice, key, present=present, anew=anew)
        await self._happen(self._after)
        return charged

    async def method_page(self, customer: str, back: str) -> str:
        return await self._gateway.method_page(customer, back)

    async def end(self, subscription: str, action: EndAction, key: str) -> None:
        await self._happen(self._before)
        await self._gateway.end(subscription, action, key)
        await self._happen(self._after)

    async def _happen(self, what: Callable[[], Awaitable[None]] | None) -> None:
        if what:
            await what()


def disturbed(world: World, **moments: Callable[[], Awaitable[None]]) -> Services:
    """The world's services with something that happens `before` or `after` the call."""
    return replace(
        world.services, gateways={"stripe": Disturbed(world.services.gateways["stripe"], **moments)}
    )
