"""Effects are written once and carried out by one claim at a time; who slept too long has no say."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import endings, outbox
from db.outbox import LEASE, Claim
from dunning.steps import Kind
from tests.db.conftest import Database
from tests.db.rows import customer_row, effect, handed_over, let_pass, new_effect
from tests.dunning.builders import day

LEASE_SECONDS = LEASE.total_seconds() + 1
MESSAGE = {"subject": "About your payment", "text": "Please look."}


async def decided(connection: AsyncConnection, **fields: Any) -> int:
    """A mail that waits to be sent."""
    (row_id,) = await outbox.add(connection, [new_effect(await customer_row(connection), **fields)])
    return row_id


async def claimed(connection: AsyncConnection, row_id: int) -> Claim:
    claim = await outbox.claim(connection, row_id)
    assert claim is not None
    return claim


def test_class_1_a_step_is_written_once(database: Database) -> None:
    """Per customer and channel, in one call, in several, and for two customers."""

    async def story(connection: AsyncConnection) -> list[int]:
        ada, bob = await customer_row(connection, "cus_1"), await customer_row(connection, "cus_2")
        added = [
            await outbox.add(connection, [new_effect(ada), new_effect(ada)]),
            await outbox.add(connection, [new_effect(ada), new_effect(ada, channel="chat")]),
            await outbox.add(connection, [new_effect(bob)]),
            await outbox.add(connection, []),
        ]
        return [len(each) for each in added]

    assert database.commit(story) == [1, 1, 1, 0]


def test_class_1_ten_at_once_write_one_row(database: Database) -> None:
    """And only one of them is told to carry it out."""

    async def story(engine: AsyncEngine) -> list[list[int]]:
        async with engine.begin() as connection:
            ada = await customer_row(connection)

        async def add() -> list[int]:
            async with engine.begin() as connection:
                return await outbox.add(connection, [new_effect(ada)])

        return list(await asyncio.gather(*(add() for _ in range(10))))

    # Whoever comes first has not always drawn the first number.
    assert sorted(map(len, database.play(story))) == [0] * 9 + [1]


def test_a_step_nobody_can_carry_out_is_not_handed_out(database: Database) -> None:
    """A team without a channel leaves a row that says so."""

    async def story(connection: AsyncConnection) -> tuple[list[int], str]:
        ada = await customer_row(connection)
        added = await outbox.add(connection, [new_effect(ada, status="suppressed", last_error="no team")])
        return added, (await outbox.history_of(connection, ada))[0]["status"]

    assert database.commit(story) == ([], "suppressed")


def test_class_7_ten_claims_at_once_are_one(database: Database) -> None:
    """The others find that somebody has it."""

    async def story(engine: AsyncEngine) -> list[Claim | None]:
        async with engine.begin() as connection:
            row_id = await decided(connection)

        async def claim() -> Claim | None:
            async with engine.begin() as connection:
                return await outbox.claim(connection, row_id)

        return list(await asyncio.gather(*(claim() for _ in range(10))))

    assert len([claim for claim in database.play(story) if claim]) == 1


def test_a_claim_says_all_that_is_needed(database: Database) -> None:
    """What it is, for whom, and that nothing was handed over yet."""

    async def story(connection: AsyncConnection) -> Claim:
        return await claimed(connection, await decided(connection))

    claim = database.commit(story)
    assert (claim.fence, claim.kind, claim.name, claim.channel) == (1, Kind.MAIL, "payment_failed", "mail")
    assert (claim.case, claim.step, claim.created_at) == ("in_1", "payment_failed:in_1:1", day(0))
    assert (claim.recipient, claim.rendered, claim.handed_over) == (None, None, False)


def test_class_7_a_second_claim_waits_for_the_lease(database: Database) -> None:
    """Then it has the next number."""

    async def story(connection: AsyncConnection) -> list[int | None]:
        row_id = await decided(connection)
        fences: list[int | None] = [(await claimed(connection, row_id)).fence]
        for seconds in (LEASE_SECONDS - 2, 2):
            await let_pass(connection, seconds)
            again = await outbox.claim(connection, row_id)
            fences.append(again.fence if again else None)
        return fences

    assert database.commit(story) == [1, None, 2]


@pytest.mark.parametrize("deed", ["renew", "hand_over", "finish", "postpone"])
def test_class_7_who_slept_through_the_lease_has_no_say(database: Database, deed: str) -> None:
    """The row is somebody else's: nothing of the first claim changes it."""

    async def story(connection: AsyncConnection) -> tuple[bool, Any]:
        row_id = await decided(connection)
        stale = await claimed(connection, row_id)
        await let_pass(connection, LEASE_SECONDS)
        await claimed(connection, row_id)
        return await do(connection, deed, stale), await effect(connection, row_id)

    done, row = database.commit(story)
    assert not done
    assert (row.status, row.attempts, row.rendered, row.last_error) == ("sending", 2, None, None)


async def do(connection: AsyncConnection, deed: str, claim: Claim) -> bool:
    if deed == "renew":
        return await outbox.renew(connection, claim)
    if deed == "hand_over":
        return await handed_over(connection, claim, "ada@customer.example", MESSAGE)
    if deed == "finish":
        return await endings.finish(connection, claim, "sent", accepted_at=day(1))
    return await outbox.postpone(connection, claim, timedelta(0), "later")


@pytest.mark.parametrize("status", ["sent", "suppressed", "failed", "unknown"])
def test_a_final_word_is_final(database: Database, status: str) -> None:
    """No second claim, no second word."""

    async def story(connection: AsyncConnection) -> list[Any]:
        row_id = await decided(connection)
        claim = await claimed(connection, row_id)
        said = [
            await endings.finish(connection, claim, status, error="why"),
            await endings.finish(connection, claim, "sent"),
            await outbox.postpone(connection, claim, timedelta(0), "later"),
        ]
        await let_pass(connection, 10 * LEASE_SECONDS)
        return [*said, await outbox.claim(connection, row_id), (await effect(connection, row_id)).status]

    assert database.commit(story) == [True, False, False, None, status]


def test_a_renewed_lease_holds(database: Database) -> None:
    """As long as somebody works on it."""

    async def story(connection: AsyncConnection) -> list[Any]:
        row_id = await decided(connection)
        claim = await claimed(connection, row_id)
        await let_pass(connection, LEASE_SECONDS - 2)
        assert await outbox.renew(connection, claim)
        await let_pass(connection, LEASE_SECONDS - 2)
        return [await outbox.claim(connection, row_id), await endings.finish(connection, claim, "sent")]

    assert database.commit(story) == [None, True]


def test_what_was_handed_over_is_known_to_the_next_claim(database: Database) -> None:
    """It may have been sent: the stored message says what, and nobody sends it again unasked."""

    async def story(connection: AsyncConnection) -> Claim:
        row_id = await decided(connection)
        claim = await claimed(connection, row_id)
        assert await handed_over(connection, claim, "ada@customer.example", MESSAGE)
        await let_pass(connection, LEASE_SECONDS)
        return await claimed(connection, row_id)

    claim = database.commit(story)
    assert (claim.handed_over, claim.recipient, claim.rendered) == (True, "ada@customer.example", MESSAGE)


def test_what_was_certainly_not_sent_waits_with_its_message(database: Database) -> None:
    """Put off, and then taken up with the same words for the same address."""

    async def story(connection: AsyncConnection) -> list[Any]:
        row_id = await decided(connection)
        claim = await claimed(connection, row_id)
        await handed_over(connection, claim, "ada@customer.example", MESSAGE)
        assert await outbox.postpone(connection, claim, timedelta(seconds=30), "451 greylisted")
        too_soon = await outbox.claim(connection, row_id)
        await let_pass(connection, 31)
        again = await claimed(connection, row_id)
        return [too_soon, again.fence, again.handed_over, again.recipient, again.rendered]

    assert database.commit(story) == [None, 2, False, "ada@customer.example", MESSAGE]


def test_class_2_what_waits_is_dropped_and_what_is_in_flight_is_not(database: Database) -> None:
    """The customer has paid: mails of that case only, and no calls of the team."""

    async def story(connection: AsyncConnection) -> list[Any]:
        ada = await customer_row(connection)
        effects = [
            new_effect(ada, "payment_failed:in_1:1"),
            new_effect(ada, "payment_failed:in_1:2"),
            new_effect(ada, "payment_failed:in_2:1", case="in_2"),
            new_effect(ada, "escalation:in_1:attempts", kind=Kind.TEAM),
            new_effect(await customer_row(connection, "cus_2"), "payment_failed:in_1:1"),
        ]
        ids = await outbox.add(connection, effects)
        in_flight = await claimed(connection, ids[0])
        dropped = await outbox.suppress(connection, ada, ["in_1"], "paid")
        again = await outbox.suppress(connection, ada, ["in_1"], "paid")
        none = await outbox.suppress(connection, ada, [], "paid")
        late = await outbox.claim(connection, ids[1])
        finished = await endings.finish(connection, in_flight, "sent")
        rest = [(await effect(connection, row_id)).status for row_id in ids]
        return [dropped, again, none, late, finished, rest]

    assert database.commit(story) == [
        ["payment_failed:in_1:2"],
        [],
        [],
        None,
        True,
        ["sent", "suppressed", "pending", "pending", "pending"],
    ]


def test_class_2_a_claim_and_a_payment_at_once_agree(database: Database) -> None:
    """Either the mail is dropped and cannot be claimed, or it was claimed and is not dropped."""

    async def story(engine: AsyncEngine) -> list[tuple[bool, bool]]:
        async with engine.begin() as connection:
            ada = await customer_row(connection)
            steps = [f"payment_failed:in_{number}:1" for number in range(20)]
            cases = [f"in_{number}" for number in range(20)]
            new = [new_effect(ada, step, case=case) for step, case in zip(steps, cases, strict=True)]
            ids = await outbox.add(connection, new)

        async def claim(row_id: int) -> bool:
            async with engine.begin() as connection:
                return await outbox.claim(connection, row_id) is not None

        async def drop(case: str) -> bool:
            async with engine.begin() as connection:
                return bool(await outbox.suppress(connection, ada, [case], "paid"))

        pairs = [asyncio.gather(claim(row_id), drop(case)) for row_id, case in zip(ids, cases, strict=True)]
        return [(taken, dropped) for taken, dropped in await asyncio.gather(*pairs)]

    assert all(taken is not dropped for taken, dropped in database.play(story))


def test_the_first_mail_that_went_out_heads_the_thread(database: Database) -> None:
    """Not one that was only decided, nor a call of the team, nor another case's."""

    async def story(connection: AsyncConnection) -> list[str | None]:
        ada = await customer_row(connection)
        effects = [
            new_effect(ada, "escalation:in_1:attempts", kind=Kind.TEAM),
            new_effect(ada, "payment_failed:in_2:1", case="in_2"),
            new_effect(ada, "payment_failed:in_1:1"),
            new_effect(ada, "payment_failed:in_1:2"),
        ]
        ids = await outbox.add(connection, effects)
        heads = []
        for row_id in (ids[0], ids[1], ids[3], ids[2]):
            claim = await claimed(connection, row_id)
            heads.append(claim.thread)
            await handed_over(connection, claim, None, MESSAGE)
        return heads

    assert database.commit(story) == [None, None, None, "payment_failed:in_1:2"]


def test_what_nobody_has_begun_with_is_claimed_together(database: Database) -> None:
    """One of each customer, each once; what was begun before is left to who claims it alone."""

    async def story(connection: AsyncConnection) -> list[list[int]]:
        ada, bob, eve = [await customer_row(connection, f"cus_{name}") for name in ("ada", "bob", "eve")]
        steps = [(ada, "a"), (ada, "b"), (bob, "a"), (eve, "a")]
        ids = await outbox.add(connection, [new_effect(owner, step) for owner, step in steps])
        begun = await claimed(connection, ids[3])
        await outbox.postpone(connection, begun, timedelta(0), "not yet")
        rounds = [[each.id for each in await outbox.claim_fresh(connection, ids)] for _ in range(3)]
        return [ids, *rounds, await outbox.unclaimed(connection, ids)]

    ids, first, second, third, left = database.commit(story)
    assert first == [ids[0], ids[2]]
    assert second == [ids[1]]
    assert (third, left) == ([], [ids[3]])


def test_what_was_tried_most_often_comes_last(database: Database) -> None:
    """It may end the process, and others must not wait for its end."""

    async def story(connection: AsyncConnection) -> tuple[list[int], list[int]]:
        owner = await customer_row(connection)
        ids = await outbox.add(connection, [new_effect(owner, step) for step in ("a", "b", "c")])
        for row_id in (ids[0], ids[0], ids[1]):
            claim = await claimed(connection, row_id)
            await outbox.postpone(connection, claim, timedelta(0), "not yet")
        return ids, await outbox.unclaimed(connection, ids)

    ids, order = database.commit(story)
    assert order == [ids[2], ids[1], ids[0]]


def test_two_workers_share_what_is_fresh(database: Database) -> None:
    """Each effect is claimed by one of them, and neither waits for the other."""

    async def story(engine: AsyncEngine) -> list[list[Claim]]:
        async with engine.begin() as connection:
            owners = [await customer_row(connection, f"cus_{number}") for number in range(10)]
            ids = await outbox.add(connection, [new_effect(owner) for owner in owners])

        async def take() -> list[Claim]:
            async with engine.begin() as connection:
                return await outbox.claim_fresh(connection, ids)

        return await asyncio.gather(take(), take())

    one, other = database.play(story)
    assert len({each.id for each in [*one, *other]}) == len(one) + len(other) == 10


def test_the_history_tells_no_texts(database: Database) -> None:
    """Rows of one customer, oldest first, without what was written to them."""

    async def story(connection: AsyncConnection) -> list[dict[str, Any]]:
        row_id = await decided(connection)
        await handed_over(connection, await claimed(connection, row_id), None, MESSAGE)
        await decided(connection, step="final_warning:in_1:72h")
        return await outbox.history_of(connection, await customer_row(connection))

    rows = database.commit(story)
    assert [row["step"] for row in rows] == ["payment_failed:in_1:1", "final_warning:in_1:72h"]
    assert "rendered" not in rows[0]
