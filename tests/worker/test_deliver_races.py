"""Several hands on one row: ten wake-ups, a worker that sleeps through its lease, a decision meanwhile."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from db import accounts, changes, models
from db.changes import Change
from emails.delivery import Accepted
from tests.scenarios.world import World
from tests.worker.mailing import LEASE_OVER, mailing, with_link
from tests.worker.transports import Gate, Scripted

# Seconds; the wait is for a condition, this is when it counts as failed.
PATIENCE = 10.0
WAITS = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


class Pause:
    """A link that is long in coming."""

    def __init__(self) -> None:
        self.reached, self.over = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> str:
        self.reached.set()
        await self.over.wait()
        return "https://invoice.example/slow"


def test_ten_workers_at_once_send_one_mail(world: World) -> None:
    """The same wake-up reaches ten workers in the same moment: one claims, nine go home."""
    one = mailing(world)
    world.all_at_once(*(one.deliver() for _ in range(10)))

    assert (one.status, one.mails, one.effect.attempts) == ("sent", 1, 1)


def test_class_07_a_worker_that_sleeps_through_its_lease_before_the_send_does_not_send(world: World) -> None:
    """Paused while it writes the mail, it wakes up when another worker has sent it: the fence stops it."""
    one = mailing(world)
    pause = Pause()

    async def play() -> None:
        sleeper = asyncio.create_task(one.deliver(services=with_link(world, pause)))
        await pause.reached.wait()
        await world.stage.let_pass(LEASE_OVER)
        await one.deliver()
        pause.over.set()
        await sleeper

    world.run(play())

    assert (one.status, one.mails, one.effect.attempts) == ("sent", 1, 2)
    assert "invoice.example/slow" not in one.story.text()


def test_class_07_a_worker_that_wakes_up_while_another_writes_the_mail_does_not_send(world: World) -> None:
    """Both hold the row as "sending"; only the number of the claim tells them apart."""
    one = mailing(world)
    late, prompt, never = Pause(), Pause(), Scripted(Accepted("250 ok"))

    async def play() -> None:
        sleeper = asyncio.create_task(one.deliver(never, with_link(world, late)))
        await late.reached.wait()
        await world.stage.let_pass(LEASE_OVER)
        second = asyncio.create_task(one.deliver(services=with_link(world, prompt)))
        await prompt.reached.wait()
        late.over.set()
        await sleeper
        prompt.over.set()
        await second

    world.run(play())

    assert never.sent == []
    assert (one.status, one.mails, one.effect.attempts) == ("sent", 1, 2)


def test_class_07_a_worker_that_sleeps_through_its_lease_while_sending_has_no_last_word(world: World) -> None:
    """Handed over and then paused: the second worker says unknown, the first one's send is the only one."""
    one = mailing(world)
    gate = Gate(world.transport)

    async def play() -> None:
        sleeper = asyncio.create_task(one.deliver(gate))
        await gate.reached.wait()
        await world.stage.let_pass(LEASE_OVER)
        await one.deliver()
        gate.open.set()
        await sleeper

    world.run(play())
    one.later()
    one.carry_out()

    assert (one.status, one.mails) == ("unknown", 1)


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
            await changes.save(deciding, [Change(loaded, loaded.account, {one.story.invoice.id: None})])
        await sending

    world.forgetful = True
    world.run(play())

    assert one.status == "sent"
    [case] = world.rows(models.cases)
    assert case.due_at is not None
