"""Customers on the demo's stage, once everything that follows from their arrival has been done."""

from __future__ import annotations

import asyncio
import time

from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import create_async_engine

from sandbox.demo.cast import Role, cast
from sandbox.demo.settled import Open, count
from sandbox.demo.stage import Stage
from sandbox.demo.story import Story

POLL_SECONDS = 0.1
SETTLED_WITHIN = 60.0


def subscribed(stage: Stage, *stories: Story) -> list[Role]:
    """Have them subscribe, and wait until that has settled."""
    roles = cast(stage.stripe.engine, stories)
    deadline = time.monotonic() + SETTLED_WITHIN
    while not settled(stage):
        stage.check()
        assert time.monotonic() < deadline, (
            f"{stage.stripe.delivery.left} events are on their way; {left(stage)}"
        )
        time.sleep(POLL_SECONDS)
    return roles


def settled(stage: Stage) -> bool:
    """Whether every event is acknowledged and all that follows from it is done."""
    return not stage.stripe.delivery.left and not left(stage)


def left(stage: Stage) -> Open:
    """What is still to be done, as the tables say."""

    async def ask() -> Open:
        return await count(create_async_engine(stage.database_url, poolclass=NullPool))

    return asyncio.run(ask())
