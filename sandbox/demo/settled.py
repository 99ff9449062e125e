"""Has everything that follows from the events so far been done? Read from the tables, not believed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from sandbox.errors import SandboxError

_POLL_SECONDS = 0.02

_COUNT = text("""
    SELECT (SELECT count(*) FROM inbox WHERE status = 'pending') AS events,
           (SELECT count(*) FROM inbox WHERE status = 'dead') AS retired,
           (SELECT count(*) FROM outbox WHERE status IN ('pending', 'sending')) AS messages,
           (SELECT count(*) FROM customers JOIN cases ON cases.customer_id = customers.id
            JOIN test_clocks ON test_clocks.ref = cases.test_clock AND test_clocks.source = customers.source
            WHERE cases.due_at <= test_clocks.reached)
           + (SELECT count(*) FROM customers JOIN subscriptions ON subscriptions.customer_id = customers.id
              JOIN test_clocks ON test_clocks.ref = subscriptions.test_clock
                              AND test_clocks.source = customers.source
              WHERE subscriptions.due_at <= test_clocks.reached) AS cases
""")


class NotSettledError(SandboxError):
    """Something was not done in time, or cannot be done at all."""


@dataclass(frozen=True, slots=True)
class Open:
    """How much is still to do: events to apply, events given up, messages to send, cases and renewals due."""

    events: int
    retired: int
    messages: int
    cases: int

    def __bool__(self) -> bool:
        return bool(self.events or self.retired or self.messages or self.cases)

    def __str__(self) -> str:
        return ", ".join(f"{count} {what}" for what, count in asdict(self).items() if count)


async def settle(engine: AsyncEngine, check: Callable[[], None], seconds: float) -> None:
    """Return when nothing is left to do. `check` may raise; so does NotSettledError after `seconds`."""
    deadline = time.monotonic() + seconds
    while left := await count(engine):
        check()
        if left.retired or time.monotonic() > deadline:
            raise NotSettledError(f"not done within {seconds:.0f} s: {left}")
        await asyncio.sleep(_POLL_SECONDS)


async def count(engine: AsyncEngine) -> Open:
    """What is still to be done at this moment."""
    async with engine.connect() as connection:
        row = (await connection.execute(_COUNT)).one()
    return Open(*row)
