"""A billing system's calendar on a test clock of ours, for those that have none of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from db import accounts
from sandbox.demo.days import month_before
from worker.rehearsal import CLOCK


class Charged(Protocol):
    """Somebody who is charged by the calendar."""

    @property
    def due(self) -> datetime | None:
        """When next."""
        ...

    async def charge(self) -> None:
        """Do it now."""
        ...


@dataclass(eq=False)
class Calendar:
    """It begins a month before day 0. `reached` is told every time that it comes to."""

    source: str
    engine: AsyncEngine
    lag: timedelta
    reached: Callable[[datetime], None] = lambda time: None
    clients: list[Charged] = field(default_factory=list)
    time: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.time = month_before(0) + self.lag

    @property
    def key(self) -> tuple[str, str]:
        return self.source, CLOCK

    def now(self) -> datetime:
        return self.time

    def next_due(self) -> datetime | None:
        return min((each.due for each in self.clients if each.due), default=None)

    async def begin(self) -> None:
        """Before anything is told."""
        await self._move(self.time)

    async def advance(self, to: datetime) -> None:
        """Charge whoever is due until then."""
        while (due := self.next_due()) and due <= to:
            await self._move(due)
            for each in self.clients:
                if each.due == due:
                    await each.charge()
        await self._move(to)

    async def _move(self, to: datetime) -> None:
        self.time = max(self.time, to)
        self.reached(self.time)
        async with self.engine.begin() as connection:
            await accounts.move_clocks(connection, {self.key: self.time})
