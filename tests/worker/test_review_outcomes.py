"""What the mail server has said is not forgotten because the database is away for a moment."""

from __future__ import annotations

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from tests.scenarios.world import World
from tests.worker.mailing import mailing
from tests.worker.transports import Disturbed


class Outage:
    """The database throws everybody out and lets nobody in until it is over."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._name = engine.url.database
        self._administrator = create_async_engine(
            engine.url.set(database="postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )

    async def begin(self) -> None:
        await self._do(f'ALTER DATABASE "{self._name}" ALLOW_CONNECTIONS false')
        await self._do(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._name}'"  # noqa: S608  # our own name
        )

    async def end(self) -> None:
        await self._do(f'ALTER DATABASE "{self._name}" ALLOW_CONNECTIONS true')

    async def _do(self, statement: str) -> None:
        async with self._administrator.connect() as connection:
            await connection.execute(text(statement))


def test_an_accepted_mail_is_written_down_when_the_database_is_back(world: World) -> None:
    """It goes away between the server's answer and our note of it, and comes back a second later."""
    one = mailing(world)
    outage = Outage(world.services.engine)

    async def play() -> None:
        sending = asyncio.create_task(one.deliver(Disturbed(world.transport, after=outage.begin)))
        try:
            await asyncio.wait([sending], timeout=1.0)
        finally:
            await outage.end()
        await asyncio.gather(sending, return_exceptions=True)

    world.run(play())
    one.later()
    one.carry_out()

    assert (one.status, one.mails) == ("sent", 1)
