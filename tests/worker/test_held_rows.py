"""A row that somebody holds for minutes is no fault of the events that wait for it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from sqlalchemy import insert, select, text, update

from benchmarks.world.accounts import subscription_updates
from db.models import inbox
from db.session import TIMEOUTS, create_engine
from db.sweep import MOST_ATTEMPTS
from dunning.policy import Policy
from providers.stripe.webhook import envelope
from worker.services import Services
from worker.usecases.apply_events import apply_events

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_lock_held_for_longer_than_all_tries_retires_nothing(database_url: str) -> None:
    """Each try ends with the lock's time-out, and none of them is counted."""
    (body,) = subscription_updates(1)

    async def no_nudge(*_: object) -> None:
        """Nobody listens."""

    async def scene() -> None:
        engine = create_engine(
            database_url, name="test", pool_size=3, timeouts={**TIMEOUTS, "lock_timeout": "20"}
        )
        services = Services(engine=engine, gateways={}, policy=Policy(), nudge=no_nudge, clock=lambda: NOW)
        seen = envelope(body.encode())
        async with engine.begin() as connection:
            row = {
                "source": "stripe",
                "event_id": seen.event_id,
                "type": seen.type,
                "livemode": False,
                "status": "pending",
                "payload": body.encode(),
            }
            row_id = await connection.scalar(insert(inbox).returning(inbox.c.id), row)
        async with engine.begin() as holder:
            await holder.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            await holder.execute(text("LOCK TABLE customers IN SHARE MODE"))
            for _ in range(MOST_ATTEMPTS + 1):
                await apply_events(services, [row_id])
                async with engine.begin() as connection:
                    (tried,) = await connection.execute(select(inbox.c.attempts, inbox.c.last_error))
                    await connection.execute(update(inbox).values(due_at=text("now()")))
                assert tried.attempts == 0
                assert "lock timeout" in tried.last_error
        await apply_events(services, [row_id])
        async with engine.connect() as connection:
            assert await connection.scalar(select(inbox.c.status)) == "done"
        await engine.dispose()

    asyncio.run(scene())
