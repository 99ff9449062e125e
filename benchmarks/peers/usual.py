"""The usual actor: one message, one ORM transaction.

What `benchmarks.peers.actors` runs on its queue, and loads for it alone.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


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


async def create_tables(database_url: str) -> None:
    """Make the usual actor's tables."""
    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()


def actor(database_url: str, threads: int) -> Callable[[int], Awaitable[None]]:
    """What is done for one event, by its id."""
    engine = create_async_engine(database_url, pool_size=threads)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def usual(event_id: int) -> None:
        async with sessions.begin() as session:
            await process(session, event_id)

    return usual
