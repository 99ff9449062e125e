"""Rows for the inbox, stored by the receiver's own statement, and applied."""

import asyncio
from collections.abc import Sequence

from benchmarks.errors import BenchmarkError
from benchmarks.house import House
from db.intake import Intake, Row
from db.session import create_engine
from dunning.policy import Policy
from providers.stripe import webhook as stripe_webhook
from settings.urls import for_asyncpg
from worker.queues import Wakeup
from worker.services import Services
from worker.usecases.apply_events import apply_events

_AT_ONCE = 500


def rows(bodies: Sequence[str]) -> list[Row]:
    """Webhook bodies as the receiver would store them."""
    made = []
    for body in bodies:
        payload = body.encode()
        seen = stripe_webhook.envelope(payload)
        made.append(
            Row(
                "stripe",
                seen.event_id,
                seen.type,
                bool(seen.livemode),
                seen.created_at,
                "pending",
                None,
                payload,
            )
        )
    return made


def store(database_url: str, stored: Sequence[Row]) -> list[int]:
    """Insert rows; their ids in order."""

    async def insert() -> list[int]:
        intake = Intake(for_asyncpg(database_url))
        ids: list[int] = []
        for start in range(0, len(stored), _AT_ONCE):
            ids += (await intake.insert(stored[start : start + _AT_ONCE])).values()
        intake.drop()
        return sorted(ids)

    return asyncio.run(insert())


def apply(database_url: str, ids: Sequence[int]) -> None:
    """By the worker's own use case, in this process: Stripe is not asked, and nobody is woken."""

    async def nobody(_: Wakeup, __: Sequence[int]) -> None:
        """There is no one to wake."""

    async def decide() -> None:
        engine = create_engine(database_url, name="benchmarks", pool_size=2)
        await apply_events(Services(engine, {}, Policy(), nobody), ids)
        await engine.dispose()

    asyncio.run(decide())


def check_applied(house: House, database_url: str, count: int) -> None:
    """Raise BenchmarkError unless so many rows are applied, each with its entry in the journal."""
    done = house.query(database_url, "SELECT count(*) FROM inbox WHERE status = 'done'")[0][0]
    heard = house.query(database_url, "SELECT count(*) FROM journal WHERE kind = 'event.applied'")[0][0]
    if not done == heard == count:
        raise BenchmarkError(f"of {count} events {done} are applied and {heard} are in the journal")
