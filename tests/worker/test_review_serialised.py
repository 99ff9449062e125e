"""An outcome is never written into the middle of a decision: the case always looks at it afterwards."""

from __future__ import annotations

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, models
from dunning.case import settle
from tests.scenarios.world import World
from tests.worker.mailing import mailing
from worker.queues import CASES
from worker.usecases.enact import enact


async def somebody_waits(connection: AsyncConnection) -> None:
    """Return when another session wants a lock that this one holds."""
    blocked = text(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    )
    async with asyncio.timeout(10):
        while (await connection.execute(blocked)).scalar_one() == 0:
            pass


def test_a_warning_accepted_during_a_decision_is_looked_at_after_it(world: World) -> None:
    """While an account is decided about, its warning is accepted: that the next one is due is not forgotten.

    The decision still saw the warning on its way, so it plans nothing; the outcome waits for the account and
    then has the case looked at again. Every wake-up is lost, so only the row itself can say so.
    """
    one = mailing(world, day=11)
    world.forgetful = True

    async def play() -> None:
        async with world.services.engine.begin() as connection:
            customer = (await connection.execute(models.customers.select())).one().id
            loaded = (await accounts.load(connection, [customer], lock=True))[customer]
            sending = asyncio.create_task(one.deliver())
            await somebody_waits(connection)
            await enact(
                connection,
                loaded,
                settle(loaded.account, world.services.policy),
                policy=world.services.policy,
                team_channels=("mail",),
                now=one.story.now,
            )
        await sending

    world.run(play())
    assert one.status == "sent"
    (case,) = world.rows(models.cases)
    assert case.due_at == one.story.now

    world.forgetful = False
    world.held = {CASES}
    world.tick()
    (case,) = world.rows(models.cases)
    assert one.story.day(case.due_at) == 13
