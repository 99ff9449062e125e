"""Mails that are claimed together: whatever becomes of one, its neighbours are sent, and none twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db import accounts, models, outbox
from db.accounts import Loaded
from emails.delivery import Delivery, Rejected
from emails.smtp_lines import SmtpLines
from providers.lookup import Gateway
from tests.scenarios.world import World
from tests.worker.mailing import LEASE_OVER, Mailing, mailing
from worker.courier import Courier, Transport
from worker.services import Services
from worker.usecases import remembering
from worker.usecases.deliver import deliver_each
from worker.usecases.outcomes import Outcome
from worker.usecases.remembering import Memory

BAD = "bob@customer.example"
# Seconds; when a wait for a condition counts as failed.
PATIENCE = 10.0
WAITS = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


class ProcessEndedError(BaseException):
    """Stands for kill -9."""


def three(world: World) -> list[Mailing]:
    """Ada, Bob and Eve, each with a first mail that waits."""
    return [mailing(world, email=f"{name}@customer.example") for name in ("ada", "bob", "eve")]


def carry_out(world: World, mails: list[Mailing], services: Services | None = None, **parts: Any) -> None:
    courier = Courier(sender=world.courier.sender, transport=parts.get("transport", world.transport))
    world.run(deliver_each(services or world.services, courier, [each.row for each in mails]))


def arrived(world: World) -> Counter[str]:
    return Counter(str(mail.message["To"]) for mail in world.inbox.messages)


async def until_somebody_waits(engine: AsyncEngine) -> None:
    """For a lock in the database."""
    async with asyncio.timeout(PATIENCE), engine.connect() as connection:
        while not (await connection.execute(WAITS)).scalar_one():
            await connection.rollback()


class Refusing:
    """Sends for real, but for one address."""

    def __init__(self, transport: Transport, answer: Delivery) -> None:
        self._transport, self._answer = transport, answer

    async def send(self, message: bytes) -> Delivery:
        if message_from_bytes(message)["To"] == BAD:
            return self._answer
        return await self._transport.send(message)


class Poison:
    """Stripe, and whoever asks it for this invoice dies of it."""

    def __init__(self, gateway: Gateway, invoice: str, death: BaseException) -> None:
        self._gateway, self._invoice, self._death = gateway, invoice, death

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gateway, name)

    async def payment_link(self, invoice: str) -> str | None:
        if invoice == self._invoice:
            raise self._death
        return await self._gateway.payment_link(invoice)


def poisoned(world: World, invoice: str, death: BaseException) -> Services:
    gateway: Any = Poison(world.services.gateways["stripe"], invoice, death)
    return replace(world.services, gateways={"stripe": gateway})


def test_one_that_is_refused_is_refused_alone(world: World) -> None:
    """The mail server wants nothing for Bob."""
    mails = three(world)
    carry_out(world, mails, transport=Refusing(world.transport, Rejected(550, "no such mailbox")))
    assert [each.status for each in mails] == ["sent", "failed", "sent"]


def test_a_connection_that_breaks_costs_one_mail_its_answer(world: World) -> None:
    """The server hangs up in the middle of a message that it has: that one is unknown, none comes twice."""
    mails = three(world)
    world.inbox.drop(1, stored=True)
    carry_out(world, mails)
    assert Counter(each.status for each in mails) == {"unknown": 1, "sent": 2}
    assert set(arrived(world).values()) == {1}


def test_one_that_cannot_be_written_holds_nobody_up(world: World) -> None:
    """Whatever it is about Bob's mail, it is tried again later by itself."""
    mails = three(world)
    carry_out(world, mails, poisoned(world, str(mails[1].story.invoice.id), ValueError("no words")))
    assert [each.status for each in mails] == ["sent", "pending", "sent"]


def test_one_that_ends_the_process_ends_it_alone_the_next_time(world: World) -> None:
    """It takes its neighbours along once, and they are sent before it is tried a third time."""
    mails = three(world)
    deadly = poisoned(world, str(mails[0].story.invoice.id), ProcessEndedError())
    for _ in range(3):
        with pytest.raises((ProcessEndedError, BaseExceptionGroup)):
            carry_out(world, mails, deadly)
        world.run(world.stage.let_pass(LEASE_OVER))

    assert mails[0].effect.attempts == 3
    assert {each.status for each in mails[1:]} <= {"sent", "unknown"}
    assert set(arrived(world).values()) <= {1}
    carry_out(world, mails)
    assert mails[0].status == "sent"


@pytest.mark.parametrize("lines", [1, 2])
def test_no_more_mails_are_out_of_hand_than_there_are_lines(world: World, lines: int) -> None:
    """The server falls silent and the worker is killed: the others were not handed over, and are sent."""
    mails = three(world)
    world.inbox.hang(lines, stored=True)
    transport = SmtpLines(world.inbox.url, lines)
    courier = replace(world.courier, transport=transport, turns=asyncio.Semaphore(lines))

    async def kill() -> None:
        work = asyncio.create_task(deliver_each(world.services, courier, [each.row for each in mails]))
        await asyncio.to_thread(world.inbox.wait_for, lines)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    world.run(kill())
    assert sum(each.effect.handed_at is not None for each in mails) == lines
    world.run(world.stage.let_pass(LEASE_OVER))
    carry_out(world, mails)
    assert Counter(each.status for each in mails) == {"unknown": lines, "sent": 3 - lines}
    assert set(arrived(world).values()) == {1}


def test_an_outcome_that_cannot_be_written_takes_no_other_along(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reason with a character that no database stores: the two beside it are written down."""
    monkeypatch.setattr(remembering, "LEASE", timedelta(0))
    mails = three(world)

    async def play() -> None:
        memory = Memory()
        async with world.services.engine.begin() as connection:
            claims = await outbox.claim_fresh(connection, [each.row for each in mails])
            loaded = await accounts.load(connection, [each.customer_id for each in claims])
        why = ["refused", "no\x00", "refused"]

        def outcome(number: int) -> Outcome:
            claim = claims[number]
            account: Loaded = loaded[claim.customer_id]
            return Outcome(account, claim, "failed", why[number])

        await asyncio.gather(*(memory.note(world.services, outcome(number)) for number in range(3)))

    world.run(play())
    assert [each.status for each in mails] == ["failed", "sending", "failed"]


def test_nothing_is_sent_while_many_outcomes_are_unwritten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody decides about Ada, and the outcomes have to wait for that: so does whoever would send next."""
    monkeypatch.setattr(remembering, "MOST_UNWRITTEN", 1)
    mails = three(world)

    async def play() -> None:
        memory, engine = Memory(), world.services.engine
        async with engine.begin() as connection:
            claims = await outbox.claim_fresh(connection, [each.row for each in mails])
            loaded = await accounts.load(connection, [each.customer_id for each in claims])
        ada, bob, _ = (Outcome(loaded[each.customer_id], each, "sent") for each in claims)
        async with engine.begin() as deciding:
            await accounts.load(deciding, [ada.claim.customer_id], lock=True)
            writing = [asyncio.create_task(memory.note(world.services, ada))]
            await until_somebody_waits(engine)
            await memory.catch_up()
            writing.append(asyncio.create_task(memory.note(world.services, bob)))
            await asyncio.sleep(0)
            next_one = asyncio.create_task(memory.catch_up())
            await until_somebody_waits(engine)
            assert not next_one.done()
        await asyncio.gather(next_one, *writing)

    world.run(play())
    assert [each.status for each in mails] == ["sent", "sent", "sending"]


def test_what_was_sent_is_in_the_journal_once_each(world: World) -> None:
    """And each case looks at it."""
    mails = three(world)
    carry_out(world, mails)
    sent = [row.customer_id for row in world.rows(models.journal) if row.kind == "mail.sent"]
    assert len(sent) == len(set(sent)) == 3
    assert arrived(world) == Counter(f"{name}@customer.example" for name in ("ada", "bob", "eve"))
    assert world.queue
