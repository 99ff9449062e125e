"""Events that concern no customer, so that they cost little and nobody is asked about them."""

from __future__ import annotations

from tests.scenarios.arrivals import store
from tests.scenarios.world import START, World


def clock_moved(world: World) -> None:
    """One more has happened at Stripe."""
    engine = world.stripe.engine
    engine.advance(engine.create_clock(START), START.replace(day=3))


def fresh(world: World) -> int:
    """One has just come in; its row."""
    clock_moved(world)

    async def write() -> list[int]:
        async with world.services.engine.begin() as connection:
            return await store(connection, world.hear()[-1:], world.version, world.now)

    [row] = world.run(write())
    return row
