"""A worker ends, sleeps or loses its database between any two steps of a delivery: never a second mail."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from db import accounts, models, outbox
from db.outbox import Claim
from db.session import driver
from dunning.case import settle
from tests.scenarios.world import World
from tests.worker.mailing import Mailing, mailing, with_link
from tests.worker.transports import Disturbed
from worker.prepare import prepare


class ProcessEndedError(BaseException):
    """Stands for kill -9: nobody catches it, nothing is written down after it."""


async def end_of_process() -> None:
    raise ProcessEndedError


async def claimed(one: Mailing) -> Claim:
    async with one.world.services.engine.begin() as connection:
        claim = await outbox.claim(connection, one.row)
    assert claim is not None
    return claim


async def handed_over(one: Mailing) -> Claim:
    """Everything up to the moment before the first byte."""
    claim, services = await claimed(one), one.world.services
    async with services.engine.begin() as connection:
        loaded = (await accounts.load(connection, [claim.customer_id]))[claim.customer_id]
    account = settle(loaded.account, services.policy)
    stored = await prepare(services, one.world.courier, claim, loaded, account, one.story.now)
    async with driver(services.engine) as connection:
        assert await outbox.hand_over(connection, claim, "ada@customer.example", stored)
    return claim


def test_killed_after_the_claim_it_is_sent_when_the_lease_is_over(world: World) -> None:
    """A claim alone has sent nothing: nobody else may touch it for a minute, then somebody sends it."""
    one = mailing(world)
    world.run(claimed(one))

    one.carry_out()
    assert (one.status, one.mails) == ("sending", 0)

    one.later()
    one.carry_out()
    assert (one.status, one.mails, one.effect.attempts) == ("sent", 1, 2)


def test_killed_while_it_is_written_it_is_written_anew(world: World) -> None:
    """The process ends while the link is asked for: nothing was handed over, so the next one sends."""
    one = mailing(world)

    async def killed() -> str:
        raise ProcessEndedError

    with pytest.raises(ProcessEndedError):
        one.carry_out(services=with_link(world, killed))
    assert (one.status, one.effect.rendered) == ("sending", None)
    one.later()
    one.carry_out()

    assert (one.status, one.mails) == ("sent", 1)


def test_killed_after_it_was_handed_over_it_is_unknown(world: World) -> None:
    """Stored and handed over, then killed: it may have been sent, so nobody sends it again."""
    one = mailing(world)
    world.run(handed_over(one))
    one.later()
    one.carry_out()
    one.later()
    one.carry_out()

    assert (one.status, one.mails) == ("unknown", 0)
    assert one.effect.last_error == "an earlier send was never answered"


def test_class_06_killed_after_the_server_took_it_it_is_unknown_and_there_is_one_mail(world: World) -> None:
    """The mail arrived and the process ended before it could say so: no second mail."""
    one = mailing(world)
    with pytest.raises(ProcessEndedError):
        one.carry_out(Disturbed(world.transport, after=end_of_process))
    assert (one.status, one.mails) == ("sending", 1)
    one.later()
    one.carry_out()

    assert (one.status, one.mails) == ("unknown", 1)


def test_cancelled_while_the_server_is_silent_it_is_unknown(world: World) -> None:
    """The server took the mail and never answers; the worker is told to stop: one mail, no second."""
    one = mailing(world)
    world.inbox.hang(1, stored=True)

    async def stop_it() -> None:
        sending = asyncio.create_task(one.deliver())
        await asyncio.to_thread(world.inbox.wait_for, 1)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    world.run(stop_it())
    one.later()
    one.carry_out()

    assert (one.status, one.mails) == ("unknown", 1)


def test_a_database_connection_that_dies_after_the_send_costs_nothing(world: World) -> None:
    """Every connection is cut between the server's answer and the note of it: the note is still made."""
    one = mailing(world)

    async def cut() -> None:
        async with world.services.engine.begin() as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )

    one.carry_out(Disturbed(world.transport, after=cut))

    assert (one.status, one.mails) == ("sent", 1)


def test_after_an_unknown_warning_nobody_is_revoked_without_another(world: World) -> None:
    """The first final warning may never have arrived: it does not count, the second one does."""
    one = mailing(world, day=11)
    [row] = [row for row in world.rows(models.outbox) if row.step.endswith(":72h")]
    one.row = row.id
    world.run(handed_over(one))
    one.later()
    one.carry_out()
    assert one.status == "unknown"

    world.held = set()
    one.story.until(20, stops=(13, 14, 15, 16, 17))

    assert [day for day, level, _ in one.story.access() if level == "revoked"] == [16]
