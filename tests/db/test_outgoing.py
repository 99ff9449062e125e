"""Events for the merchant's application, written with the journal."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import accounts, deliveries, endpoints, journal, models, replay
from db.deliveries import LEASE
from db.endpoints import GONE, Wanted
from db.journal import Entry
from db.replay import Again
from tests.db.conftest import Database
from tests.db.rows import customer_row
from tests.dunning.builders import day

URL = "https://shop.example/hooks"


def entry(customer: int, kind: str = "access.changed", reason: str = "trial", **data: Any) -> Entry:
    return Entry(customer, day(0), kind, reason, "in_1", data)


async def sequences(connection: AsyncConnection) -> dict[str, list[int]]:
    """Customer -> the numbers of their events, in the order in which these were written."""
    rows = await connection.execute(select(models.outgoing.c.body).order_by(models.outgoing.c.id))
    numbers = defaultdict(list)
    for row in rows:
        data = json.loads(row.body)["data"]
        numbers[data["customer"]].append(data["sequence"])
    return dict(numbers)


async def count(connection: AsyncConnection, table: Any) -> int:
    return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


def test_without_an_endpoint_nothing_is_written(database: Database) -> None:
    """And nobody is numbered."""

    async def story(connection: AsyncConnection) -> list[object]:
        customer = await customer_row(connection)
        told = await journal.write(connection, [entry(customer)])
        number = (await connection.execute(select(models.customers.c.told))).scalar_one()
        return [told, await count(connection, models.outgoing), number]

    assert database.commit(story) == [frozenset(), 0, 0]


def test_each_endpoint_is_told_what_it_wants(database: Database) -> None:
    """By type; one that is disabled is told nothing, but what happens meanwhile is kept for it."""

    async def story(connection: AsyncConnection) -> list[object]:
        customer = await customer_row(connection)
        everything = await endpoints.add(connection, URL, "whsec_a")
        await endpoints.add(connection, URL + "2", "whsec_b", types=["case.closed"])
        off = await endpoints.add(connection, URL + "3", "whsec_c")
        assert off is not None
        await endpoints.disable(connection, off, "moving")
        assert await endpoints.add(connection, URL, "whsec_d") is None
        told = await journal.write(connection, [entry(customer), entry(customer, "mail.sent")])
        waiting = [(one.endpoint_id, one.type) for one in await deliveries.latest(connection)]
        only = await journal.write(connection, [entry(customer, "case.closed", "recovered")])
        assert everything is not None
        return [told, waiting, only, await count(connection, models.outgoing)]

    assert database.commit(story) == [{1}, [(1, "access.changed")], {1, 2}, 3]


def test_what_is_undone_is_not_told_and_leaves_no_gap(database: Database) -> None:
    """The event goes with the transaction that wrote its entry, and so does its number."""

    async def story(engine: AsyncEngine) -> dict[str, list[int]]:
        async with engine.begin() as connection:
            customer = await customer_row(connection)
            await endpoints.add(connection, URL, "whsec_a")
        for kept in (True, False, True):
            async with engine.connect() as connection:
                await journal.write(connection, [entry(customer)])
                await (connection.commit() if kept else connection.rollback())
        async with engine.connect() as connection:
            return await sequences(connection)

    assert database.play(story) == {"cus_1": [1, 2]}


Writes = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.integers(0, 2), st.sampled_from(["access.changed", "case.closed", "mail.sent"]))
        ),
        st.booleans(),
    ),
    max_size=6,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(Writes)
def test_in_any_interleaving_each_customer_counts_without_gaps(
    database: Database, writes: list[tuple[list[tuple[int, str]], bool]]
) -> None:
    """Transactions at the same time, over the same customers, some of them undone."""

    async def story(engine: AsyncEngine) -> dict[str, list[int]]:
        async with engine.begin() as connection:
            await endpoints.add(connection, URL, "whsec_a")
            ids = [await customer_row(connection, f"cus_{number}") for number in range(3)]

        async def one(entries: list[tuple[int, str]], kept: bool) -> None:
            async with engine.connect() as connection:
                owners = sorted({ids[owner] for owner, _ in entries})
                await accounts.load(connection, owners, lock=True)
                for owner in owners:
                    mine = [entry(owner, kind, "recovered") for who, kind in entries if ids[who] == owner]
                    await journal.write(connection, mine)
                await (connection.commit() if kept else connection.rollback())

        await asyncio.gather(*(one(*write) for write in writes))
        async with engine.begin() as connection:
            found = await sequences(connection)
            for table in (models.deliveries, models.outgoing, models.journal):
                await connection.execute(table.delete())
            await connection.execute(update(models.customers).values(told=0))
            return found

    for numbers in database.play(story).values():
        assert numbers == list(range(1, len(numbers) + 1))


def test_one_worker_at_a_time_sends_to_an_endpoint(database: Database) -> None:
    """Until it leaves or its lease is over; a try that nobody finished is due again with the same event."""

    async def story(connection: AsyncConnection) -> list[object]:
        customer = await customer_row(connection)
        await endpoints.add(connection, URL, "whsec_a")
        await journal.write(connection, [entry(customer)])
        seen: list[object] = [await deliveries.due(connection)]
        turn = await deliveries.take(connection, 1)
        assert turn is not None
        [first] = await deliveries.claim(connection, 1, 10)
        seen += [await deliveries.take(connection, 1), await deliveries.claim(connection, 1, 10)]
        await connection.execute(
            update(models.endpoints).values(busy_until=models.endpoints.c.busy_until - LEASE, swept_at=None)
        )
        await connection.execute(update(models.deliveries).values(due_at=models.deliveries.c.due_at - LEASE))
        seen.append(await deliveries.due(connection))
        assert await deliveries.keep(connection, turn) is None
        later = await deliveries.take(connection, 1)
        assert later is not None
        [second] = await deliveries.claim(connection, 1, 10)
        seen += [(first.message, first.body) == (second.message, second.body), second.fence]
        await deliveries.not_delivered(connection, first, 500, "late", wait=None)
        await deliveries.delivered(connection, second, 200)
        await deliveries.leave(connection, later)
        [one] = await deliveries.latest(connection)
        return [*seen, one.status, one.code, await deliveries.due(connection)]

    assert database.commit(story) == [[1], None, [], [1], True, 2, "delivered", 200, []]


def test_two_secrets_sign_until_the_day_is_over(database: Database) -> None:
    """Then the old one is of no use any more."""

    async def story(connection: AsyncConnection) -> list[object]:
        await endpoints.add(connection, URL, "whsec_old")
        await endpoints.rotate(connection, 1, "whsec_new")
        both = await endpoints.find(connection, 1)
        await connection.execute(
            update(models.endpoints).values(old_until=models.endpoints.c.old_until - endpoints.BOTH_SIGN)
        )
        new = await endpoints.find(connection, 1)
        assert both is not None
        assert new is not None
        return [both.secrets, new.secrets]

    assert database.commit(story) == [("whsec_new", "whsec_old"), ("whsec_new",)]


SECRETS = (("whsec_a",), ("whsec_b", "whsec_a"), ("whsec_b",))


def test_the_settings_have_the_endpoints_they_name(database: Database) -> None:
    """Added, changed, disabled when they are gone, and enabled when they are back; others are left alone."""
    other = URL + "/other"

    async def states(connection: AsyncConnection) -> list[tuple[str, tuple[str, ...], str | None]]:
        return [(one.url, one.secrets, one.disabled_why) for one in await endpoints.every(connection)]

    async def story(connection: AsyncConnection) -> list[object]:
        await endpoints.add(connection, other, "whsec_c")
        seen: list[object] = []
        for wanted in (
            [Wanted(URL, "whsec_a")],
            [Wanted(URL, "whsec_b", "whsec_a")],
            [],
            [Wanted(URL, "whsec_b")],
        ):
            await endpoints.keep_to(connection, wanted)
            _, ours = await states(connection)
            seen.append(ours[1:])
        await endpoints.disable(connection, 2, "by hand")
        await endpoints.keep_to(connection, [Wanted(URL, "whsec_b")])
        return [*seen, *await states(connection)]

    assert database.commit(story) == [
        (("whsec_a",), None),
        (("whsec_b", "whsec_a"), None),
        (("whsec_b", "whsec_a"), GONE),
        (("whsec_b",), None),
        (other, ("whsec_c",), None),
        (URL, ("whsec_b",), "by hand"),
    ]


@pytest.mark.parametrize(
    ("again", "events"),
    [
        (Again(failed=True), [2, 4]),
        (Again(type="access.changed"), [1, 2, 4]),
        (Again(type="case.closed"), []),
        (Again(), [1, 2, 4]),
        (Again(since=day(0)), [1, 2, 4]),
        (Again(since=day(40000)), []),
    ],
)
def test_events_are_sent_again_by_what_became_of_them(
    database: Database, again: Again, events: list[int]
) -> None:
    """Of an accepted, a failed, a waiting and a missed one. What is not wanted there is never sent there."""

    async def story(connection: AsyncConnection) -> list[object]:
        customer = await customer_row(connection)
        await endpoints.add(connection, URL, "whsec_a", types=["access.changed"])
        await journal.write(connection, [entry(customer) for _ in range(3)])
        accepted, failed, _ = await deliveries.claim(connection, 1, 10)
        await deliveries.delivered(connection, accepted, 200)
        await deliveries.not_delivered(connection, failed, 500, "no", wait=None)
        await connection.execute(update(models.endpoints).values(disabled_at=func.clock_timestamp()))
        await journal.write(connection, [entry(customer), entry(customer, "case.closed", "ended")])
        one = await endpoints.find(connection, 1)
        assert one is not None
        found = await replay.matching(connection, one, again)
        sent = await replay.send_again(connection, 1, found)
        waiting = [each.attempts for each in await deliveries.latest(connection, status="pending")]
        return [found, sent, sum(waiting)]

    assert database.commit(story) == [events, len(events), 1]


def test_what_happened_before_an_endpoint_was_added_is_sent_on_request_alone(database: Database) -> None:
    """It was never to be told, so it has missed nothing."""

    async def story(connection: AsyncConnection) -> list[list[int]]:
        await endpoints.add(connection, URL, "whsec_a")
        await journal.write(connection, [entry(await customer_row(connection))])
        await endpoints.add(connection, URL + "/new", "whsec_b")
        new = await endpoints.find(connection, 2)
        assert new is not None
        message = (await connection.execute(select(models.outgoing.c.message))).scalar_one()
        asked = (
            Again(failed=True),
            Again(type="access.changed"),
            Again(since=day(0)),
            Again(message=message),
        )
        return [await replay.matching(connection, new, again) for again in asked]

    assert database.commit(story) == [[], [], [1], [1]]
