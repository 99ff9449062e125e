"""What the scheduler finds: everything that is due and that nobody has taken up, once per look."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import accounts, changes, endings, inbox, models, outbox
from db.changes import Change
from db.outbox import LEASE
from db.sweep import BATCH, MOST_ATTEMPTS, Swept, sweep
from dunning.account import Account, Case, Customer
from dunning.events import AsOf
from dunning.steps import Kind
from tests.db.conftest import Database
from tests.db.rows import customer_row, event, let_pass, new_effect, store_event
from tests.dunning.builders import day

DELAY = 5.0


async def look(connection: AsyncConnection, now: datetime | None = None) -> Swept:
    return await sweep(connection, now=now or day(0), delay=DELAY)


async def a_case(
    connection: AsyncConnection,
    ref: str,
    due_at: datetime | None,
    *,
    clock: str | None = None,
    source: str = "stripe",
) -> int:
    """A customer with one case; their row id."""
    row_id = (await accounts.ensure(connection, [(source, ref)]))[source, ref]
    before = (await accounts.load(connection, [row_id]))[row_id]
    known = Account(
        source=source,
        customer=Customer(ref=ref, as_of=AsOf(day(0)), test_clock=clock),
        cases={"in_1": Case("in_1", "sub_1", day(0), timedelta(days=14))},
    )
    await changes.save(connection, [Change(before, known, {"in_1": due_at})])
    return row_id


def test_a_fresh_event_is_left_to_the_direct_path(database: Database) -> None:
    """Handed out only when nobody has applied it for ten seconds, and then again and again."""

    async def story(connection: AsyncConnection) -> list[int]:
        await store_event(connection)
        found = []
        for seconds in (0, 9, 2, 0, 11, 11):
            await let_pass(connection, seconds)
            found.append(len((await look(connection)).events))
        return found

    assert database.commit(story) == [0, 0, 1, 0, 1, 1]


def test_what_nobody_has_room_for_stays_due(database: Database) -> None:
    """Events are not wanted in one look, and handed out in the next."""

    async def story(connection: AsyncConnection) -> tuple[int, int]:
        await store_event(connection)
        await let_pass(connection, 11)
        full = await sweep(connection, now=day(0), delay=DELAY, wanted={"mail", "team"})
        return full.total, len((await look(connection)).events)

    assert database.commit(story) == (0, 1)


def test_class_6_an_event_that_nobody_takes_up_is_never_retired(database: Database) -> None:
    """Redis or all workers are away for hours: handing out is not trying."""

    async def story(connection: AsyncConnection) -> tuple[int, str, int]:
        row_id = await store_event(connection)
        handed_out = 0
        for _ in range(50):
            await let_pass(connection, 600)
            handed_out += len((await look(connection)).events)
        row = await event(connection, row_id)
        return handed_out, row.status, row.attempts

    assert database.commit(story) == (50, "pending", 0)


def test_poison_is_retired_after_five_tries(database: Database) -> None:
    """With the error that is known of it, even if it killed the process each time."""

    async def story(connection: AsyncConnection) -> list[Any]:
        row_id = await store_event(connection)
        tried = 0
        retired = 0
        while not retired:
            await let_pass(connection, 3600)
            found = await look(connection)
            retired += found.retired
            tried += len(await inbox.take_up(connection, found.events))
        row = await event(connection, row_id)
        await let_pass(connection, 3600)
        return [tried, row.status, row.last_error, await look(connection)]

    assert database.commit(story) == [
        MOST_ATTEMPTS,
        "dead",
        "it ended the process that applied it",
        Swept(),
    ]


def test_a_full_batch_says_that_there_may_be_more() -> None:
    """The outbox's kinds are found by one look, so that more of one may be of any."""
    assert Swept(customers=tuple(range(BATCH))).more == {"customers"}
    assert Swept(mail=tuple(range(BATCH - 1)), team=(BATCH,)).more == {"mail", "team", "billing"}
    assert not Swept(events=tuple(range(BATCH - 1))).more


def test_a_retired_event_keeps_its_error(database: Database) -> None:
    """For the person who looks at it."""

    async def story(connection: AsyncConnection) -> str:
        row_id = await store_event(connection, attempts=MOST_ATTEMPTS, last_error="DataError: nonsense")
        await let_pass(connection, 3600)
        await look(connection)
        return str((await event(connection, row_id)).last_error)

    assert database.commit(story) == "DataError: nonsense"


def test_class_7_many_wake_ups_for_one_event_are_not_many_failures(database: Database) -> None:
    """Workers come back to a long queue with the same row in it five times: it is not retired under them."""

    async def story(connection: AsyncConnection) -> list[Any]:
        row_id = await store_event(connection)
        await let_pass(connection, 60)
        taken = [len(await inbox.take_up(connection, [row_id])) for _ in range(MOST_ATTEMPTS + 2)]
        assert sum(taken) == 1
        await let_pass(connection, 11)
        found = await look(connection)
        mine = await inbox.lock_pending(connection, [row_id])
        return [found, mine == {row_id}]

    assert database.commit(story) == [Swept(), True]


def test_an_event_in_work_is_handed_out_again_when_its_worker_was_killed(database: Database) -> None:
    """Twelve seconds after it was taken up."""

    async def story(connection: AsyncConnection) -> list[int]:
        row_id = await store_event(connection)
        await inbox.take_up(connection, [row_id])
        found = []
        for seconds in (11, 2):
            await let_pass(connection, seconds)
            found.append(len((await look(connection)).events))
        return found

    assert database.commit(story) == [0, 1]


def test_an_event_that_is_being_applied_is_passed_over(database: Database) -> None:
    """Its row is locked, and a tick waits for nobody."""

    async def story(engine: AsyncEngine) -> int:
        async with engine.begin() as connection:
            row_id = await store_event(connection)
            await let_pass(connection, 60)
        async with engine.begin() as worker, engine.begin() as scheduler:
            await inbox.lock_pending(worker, [row_id])
            return (await look(scheduler)).total

    assert database.play(story) == 0


def test_a_backlog_is_handed_out_in_batches_oldest_first(database: Database) -> None:
    """One tick never takes more than a batch, and the next goes on."""

    async def story(connection: AsyncConnection) -> list[Any]:
        for number in range(BATCH + 20):
            await store_event(connection, f"evt_{number}")
        oldest = await store_event(connection, "evt_oldest")
        await let_pass(connection, 60)
        older = models.inbox.c.due_at - timedelta(hours=1)
        await connection.execute(update(models.inbox).where(models.inbox.c.id == oldest).values(due_at=older))
        first, second, third = [await look(connection) for _ in range(3)]
        assert not set(first.events) & set(second.events)
        return [len(first.events), oldest in first.events, len(second.events), len(third.events)]

    assert database.commit(story) == [BATCH, True, 21, 0]


def test_two_schedulers_hand_out_nothing_twice(database: Database) -> None:
    """One sweeps at a time; the other comes away with nothing."""

    async def story(engine: AsyncEngine) -> list[tuple[int, ...]]:
        async with engine.begin() as connection:
            for number in range(30):
                await store_event(connection, f"evt_{number}")
            await let_pass(connection, 60)

        async def tick() -> Swept:
            async with engine.begin() as connection:
                return await look(connection)

        return [found.events for found in await asyncio.gather(*(tick() for _ in range(8)))]

    handed_out = [row for events in database.play(story) for row in events]
    assert sorted(handed_out) == list(range(1, 31))


def test_a_tick_beside_a_tick_finds_nothing(database: Database) -> None:
    """Until the other's transaction is over, however it ends."""

    async def story(engine: AsyncEngine) -> list[int]:
        async with engine.begin() as connection:
            await store_event(connection)
            await let_pass(connection, 60)
        async with engine.connect() as dies, engine.begin() as second:
            await look(dies)
            beside = (await look(second)).total
            await dies.rollback()
        async with engine.begin() as third:
            return [beside, (await look(third)).total]

    assert database.play(story) == [0, 1]


def test_effects_are_handed_out_by_kind(database: Database) -> None:
    """Each has a queue of its own; younger than the delay they are left to the direct path."""

    async def story(connection: AsyncConnection) -> list[Any]:
        ada = await customer_row(connection)
        effects = [
            new_effect(ada),
            new_effect(ada, "escalation:in_1:attempts", kind=Kind.TEAM),
            new_effect(ada, "retry:in_1:1", kind=Kind.RETRY),
            new_effect(ada, "end:in_1:cancel", kind=Kind.END),
        ]
        mail, team, *billing = await outbox.add(connection, effects)
        found = []
        for seconds in (0, DELAY - 1, 2, 0, DELAY + 1):
            await let_pass(connection, seconds)
            swept = await look(connection)
            found.append((swept.mail, swept.team, swept.billing))
        return [found, ((mail,), (team,), tuple(billing))]

    found, once = database.commit(story)
    assert found == [((), (), ()), ((), (), ()), once, ((), (), ()), once]


def test_an_effect_with_a_running_claim_is_left_alone(database: Database) -> None:
    """Until its lease has run out, and then nobody else has it."""

    async def story(connection: AsyncConnection) -> list[int]:
        (row_id,) = await outbox.add(connection, [new_effect(await customer_row(connection))])
        assert await outbox.claim(connection, row_id)
        found = []
        for seconds in (LEASE.total_seconds() - 1, 2):
            await let_pass(connection, seconds)
            found.append(len((await look(connection)).mail))
        assert await outbox.claim(connection, row_id)
        return found

    assert database.commit(story) == [0, 1]


@pytest.mark.parametrize("status", ["sent", "failed", "unknown", "suppressed"])
def test_an_effect_that_is_over_is_over(database: Database, status: str) -> None:
    """It is never handed out again."""

    async def story(connection: AsyncConnection) -> Swept:
        (row_id,) = await outbox.add(connection, [new_effect(await customer_row(connection))])
        claim = await outbox.claim(connection, row_id)
        assert claim is not None
        await endings.finish(connection, claim, status)
        await let_pass(connection, 86_400)
        return await look(connection)

    assert database.commit(story) == Swept()


def test_a_postponed_effect_waits_its_time(database: Database) -> None:
    """And the tick does not bring it forward."""

    async def story(connection: AsyncConnection) -> list[int]:
        (row_id,) = await outbox.add(connection, [new_effect(await customer_row(connection))])
        claim = await outbox.claim(connection, row_id)
        assert claim is not None
        await outbox.postpone(connection, claim, timedelta(seconds=60), "451")
        found = []
        for seconds in (59, 1 + DELAY + 1):
            await let_pass(connection, seconds)
            found.append(len((await look(connection)).mail))
        return found

    assert database.commit(story) == [0, 1]


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_a_case_is_due_to_the_second(database: Database, seconds: int) -> None:
    """By the time that the caller says it is; missed ticks catch up by themselves."""

    async def story(connection: AsyncConnection) -> tuple[tuple[int, ...], int]:
        row_id = await a_case(connection, "cus_1", day(5))
        await a_case(connection, "cus_2", None)
        return (await look(connection, day(5) + timedelta(seconds=seconds))).customers, row_id

    found, row_id = database.commit(story)
    assert found == ((row_id,) if seconds >= 0 else ())


def test_a_case_is_not_handed_out_at_every_tick(database: Database) -> None:
    """Whoever got it needs a moment; if they died, it comes back."""

    async def story(connection: AsyncConnection) -> list[int]:
        await a_case(connection, "cus_1", day(5))
        found = []
        for seconds in (0, 0, 3 * DELAY - 1, 2):
            await let_pass(connection, seconds)
            found.append(len((await look(connection, day(6))).customers))
        return found

    assert database.commit(story) == [1, 0, 0, 1]


def test_a_customer_with_several_due_cases_is_handed_out_once(database: Database) -> None:
    """It is the account that is advanced."""

    async def story(connection: AsyncConnection) -> tuple[int, ...]:
        row_id = await a_case(connection, "cus_1", day(5))
        loaded = (await accounts.load(connection, [row_id]))[row_id]
        cases = {ref: Case(ref, "sub_1", day(0), timedelta(days=14)) for ref in ("in_2", "in_3")}
        known = Account(source="stripe", customer=loaded.account.customer, cases=cases)
        await changes.save(connection, [Change(loaded, known, {"in_2": day(4), "in_3": day(3)})])
        return (await look(connection, day(6))).customers

    assert database.commit(story) == (1,)


def test_class_22_a_case_on_a_test_clock_lives_by_that_clock(database: Database) -> None:
    """Not by the wall, not by the clock of another source, and not by one nobody has heard of."""

    async def story(connection: AsyncConnection) -> list[tuple[int, ...]]:
        ours = await a_case(connection, "cus_1", day(5), clock="clock_1")
        await a_case(connection, "cus_2", day(5), clock="clock_unheard")
        await a_case(connection, "cus_3", day(5), clock="clock_1", source="commet")
        wall = await a_case(connection, "cus_4", day(9))
        assert (ours, wall) == (1, 4)
        found = [(await look(connection, day(8))).customers]
        for reached in (4, 5):
            await accounts.move_clocks(connection, {("stripe", "clock_1"): day(reached)})
            await let_pass(connection, 3 * DELAY + 1)
            found.append((await look(connection, day(8))).customers)
        return found

    assert database.commit(story) == [(), (), (1,)]


def test_one_tick_finds_everything(database: Database) -> None:
    """And says how much."""

    async def story(connection: AsyncConnection) -> Swept:
        await store_event(connection, "evt_1")
        await store_event(connection, "evt_2", attempts=MOST_ATTEMPTS)
        await outbox.add(connection, [new_effect(await customer_row(connection))])
        await a_case(connection, "cus_2", day(0))
        await let_pass(connection, 60)
        return await look(connection, day(1))

    found = database.commit(story)
    assert found == Swept(events=(1,), mail=(1,), customers=(2,), retired=1)
    assert found.total == 3
