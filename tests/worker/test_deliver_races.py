"""A delivery that ends while somebody else decides for the same customer."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from db import accounts, models
from emails.delivery import Accepted
from tests.scenarios.world import World
from tests.worker.mailing import mailing
from tests.worker.transports import Scripted

# Seconds; the wait is for a condition, this is when it counts as failed.
PATIENCE = 10.0
WAITS = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


def test_a_case_looks_at_what_was_sent_even_if_it_was_just_being_decided(world: World) -> None:
    """Who decides has read "sending" and writes that nothing is due: the mail's outcome has the last word.

    The journal's foreign key makes it wait for the customer's lock; without that, and with the wake-up lost,
    the case would never learn that its warning was accepted.
    """
    one = mailing(world)
    engine, customer_id = world.services.engine, one.effect.customer_id

    async def ends_or_waits(sending: asyncio.Task[None]) -> None:
        async with asyncio.timeout(PATIENCE), engine.connect() as connection:
            while not sending.done() and not (await connection.execute(WAITS)).scalar_one():
                await connection.rollback()

    async def play() -> None:
        async with engine.begin() as deciding:
            loaded = (await accounts.load(deciding, [customer_id], lock=True))[customer_id]
            sending = asyncio.create_task(one.deliver(Scripted(Accepted("250 ok"))))
            await ends_or_waits(sending)
            await accounts.save_cases(deciding, loaded, loaded.account, {one.story.invoice.id: None})
        await sending

    world.forgetful = True
    world.run(play())

    assert one.status == "sent"
    [case] = world.rows(models.cases)
    assert case.due_at is not None
