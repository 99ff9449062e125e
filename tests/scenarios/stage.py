"""What worlds that follow one another share: an event loop with a pool of connections to one database."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import func, select, update

from db import models
from db.session import create_engine
from tests.emptying import emptying

T = TypeVar("T")


class Stage:
    """Making a database, and warming up its connections, takes as long as a scenario: it is done once."""

    def __init__(self, database_url: str) -> None:
        self._runner = asyncio.Runner()
        self.database_url = database_url
        self.engine = create_engine(database_url, name="world", pool_size=8)

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        """Do something on the one event loop."""
        return self._runner.run(step)

    def clear(self) -> None:
        """Empty the database."""

        async def empty() -> None:
            async with self.engine.connect() as connection:
                raw = await connection.get_raw_connection()
                assert raw.driver_connection is not None
                await raw.driver_connection.execute(emptying())

        self.run(empty())

    def close(self) -> None:
        self.run(self.engine.dispose())
        self._runner.close()

    def rows(self, table: Any, *columns: Any) -> list[Any]:
        """All rows of a table, or some columns of them."""

        async def read() -> list[Any]:
            async with self.engine.connect() as connection:
                return list(await connection.execute(select(*(columns or (table,))).select_from(table)))

        return self.run(read())

    def unfinished(self) -> int:
        """How many events and effects still wait for somebody."""
        events = select(func.count()).where(models.inbox.c.status != "done")
        effects = select(func.count()).where(models.outbox.c.status.in_(("pending", "sending")))

        async def count() -> int:
            async with self.engine.connect() as connection:
                found = [(await connection.execute(query)).scalar_one() for query in (events, effects)]
            return int(sum(found))

        return self.run(count())

    async def let_pass(self, passed: timedelta) -> None:
        """Make the database's clock, by which leases and postponements run, later by so much."""
        inbox, outbox = models.inbox.c, models.outbox.c
        async with self.engine.begin() as connection:
            await connection.execute(update(models.inbox).values(due_at=inbox.due_at - passed))
            for table in (models.cases, models.subscriptions):
                await connection.execute(update(table).values(swept_at=table.c.swept_at - passed))
            endpoints = models.endpoints.c
            await connection.execute(
                update(models.deliveries).values(due_at=models.deliveries.c.due_at - passed)
            )
            await connection.execute(
                update(models.endpoints).values(
                    busy_until=endpoints.busy_until - passed,
                    swept_at=endpoints.swept_at - passed,
                    failing_since=endpoints.failing_since - passed,
                    old_until=endpoints.old_until - passed,
                )
            )
            await connection.execute(
                update(models.outbox).values(
                    due_at=outbox.due_at - passed,
                    lease_until=outbox.lease_until - passed,
                    handed_at=outbox.handed_at - passed,
                )
            )
