"""A world in which one effect waits to be carried out, and what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from db import models
from providers.lookup import Gateway, Lookup, Normalised
from sandbox.stripe import RetryPolicy, custom_schedule
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World
from worker.courier import Courier, Transport
from worker.queues import MAIL, TEAM
from worker.services import Services
from worker.usecases.deliver import deliver

LEASE_OVER = timedelta(seconds=61)
ONCE = custom_schedule(30, at_end="past_due")


@dataclass
class Mailing:
    """`row` is the effect that waits: by default the first mail of a failed payment."""

    world: World
    story: Story
    row: int

    async def deliver(self, transport: Transport | None = None, services: Services | None = None) -> None:
        await deliver(services or self.world.services, self.courier(transport), self.row)

    def courier(self, transport: Transport | None = None) -> Courier:
        return replace(self.world.courier, transport=transport) if transport else self.world.courier

    def carry_out(self, transport: Transport | None = None, services: Services | None = None) -> None:
        self.world.run(self.deliver(transport, services))

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
    def mails(self) -> int:
        """How many mails have arrived, whoever they are for."""
        return len(self.world.inbox.messages)


def mailing(
    world: World, *outcomes: str, day: float = 0, retries: RetryPolicy = ONCE, **options: Any
) -> Mailing:
    """A subscriber whose renewal failed, told of nothing yet. The effect is the newest that waits."""
    story = subscriber(world, *(outcomes or ("insufficient_funds",)), retries=retries, **options)
    world.held = {MAIL, TEAM}
    story.until(day)
    waiting = [row.id for row in world.rows(models.outbox) if row.status == "pending"]
    return Mailing(world, story, max(waiting))


class WithLink:
    """Stripe, but with something of our own behind the question for the link to pay."""

    def __init__(self, gateway: Gateway, link: Callable[[], Awaitable[str | None]]) -> None:
        self._gateway, self._link = gateway, link

    async def look_up(self, lookup: Lookup) -> Normalised:
        return await self._gateway.look_up(lookup)

    async def payment_link(self, invoice: str) -> str | None:
        return await self._link()

    async def product_name(self, product: str) -> str | None:
        return await self._gateway.product_name(product)


def with_link(world: World, link: Callable[[], Awaitable[str | None]]) -> Services:
    return replace(world.services, gateways={"stripe": WithLink(world.services.gateways["stripe"], link)})
