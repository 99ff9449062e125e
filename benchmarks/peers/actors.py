"""Dramatiq actors to compare with: `noop` does nothing, `usual` is one message, one ORM transaction.

Run as `python -m benchmarks.peers.actors`, with our own broker's settings and our worker's number of threads.
"""

import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime

import dramatiq
from sqlalchemy import BigInteger, DateTime, ForeignKey, Text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.peers.names import NOOP, USUAL
from worker.broker import create_broker


class Base(DeclarativeBase):
    """The usual actor's tables."""


class Event(Base):
    """A stored webhook."""

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    payload: Mapped[str] = mapped_column(Text)
    processed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Subscription(Base):
    """What the application knows of a subscription."""

    __tablename__ = "subscriptions"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    customer: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)


class AuditEntry(Base):
    """What was done, as our journal has it."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


async def process(session: AsyncSession, event_id: int) -> None:
    """Take over what one event says, once."""
    event = await session.get_one(Event, event_id, with_for_update=True)
    if event.processed_at:
        return
    said = json.loads(event.payload)["data"]["object"]
    known = await session.get(Subscription, said["id"])
    if known is None:
        session.add(Subscription(id=said["id"], customer=said["customer"], status=said["status"]))
    else:
        known.status = said["status"]
    event.processed_at = datetime.now(UTC)
    session.add(AuditEntry(event_id=event_id, at=event.processed_at))


def declare(broker: dramatiq.Broker, database_url: str, threads: int) -> None:
    """Declare both actors."""
    engine = create_async_engine(database_url, pool_size=threads)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    def noop(number: int) -> None:
        """The ceiling of one message each."""

    async def usual(event_id: int) -> None:
        async with sessions.begin() as session:
            await process(session, event_id)

    for wakeup, function in ((NOOP, noop), (USUAL, usual)):
        register = dramatiq.actor(
            actor_name=wakeup.actor, queue_name=wakeup.queue, broker=broker, max_retries=0
        )
        register(function)


async def create_tables(database_url: str) -> None:
    """Make the usual actor's tables."""
    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()


def main(queue: str) -> None:
    """Serve one queue until SIGTERM."""
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before threads are made, so that they have it too
    threads = int(os.environ["DUNNING_WORKER_THREADS"])
    broker = create_broker(os.environ["REDIS_URL"])
    if queue == USUAL.queue:
        asyncio.run(create_tables(os.environ["DATABASE_URL"]))
    declare(broker, os.environ["DATABASE_URL"], threads)
    # As worker.main starts its own.
    worker = dramatiq.Worker(broker, queues={queue}, worker_threads=threads, worker_timeout=500)
    worker.start()
    sys.stdout.write("worker.started\n")
    sys.stdout.flush()
    signal.sigwait(ends)
    worker.stop()
    broker.close()


if __name__ == "__main__":
    main(sys.argv[1])
