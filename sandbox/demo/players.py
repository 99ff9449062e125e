"""Who plays a story: a customer of some billing system, on a clock that the director moves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from sandbox.demo.days import at
from sandbox.demo.story import Story


class Clock(Protocol):
    """A clock of a billing system. Everything happens `lag` later there than the calendar says."""

    @property
    def lag(self) -> timedelta: ...

    @property
    def key(self) -> tuple[str, str]:
        """The source and its clock, as our tables name them."""
        ...

    def now(self) -> datetime: ...

    def next_due(self) -> datetime | None:
        """When the billing system has something to do next."""
        ...

    async def advance(self, to: datetime) -> None:
        """Let the billing system do what is due until then, and tell of it."""
        ...


class Player(Protocol):
    """One customer. `source` and `ref` are how we know them."""

    @property
    def story(self) -> Story: ...

    @property
    def source(self) -> str: ...

    @property
    def ref(self) -> str: ...

    @property
    def clock(self) -> Clock: ...


class Payer(Player, Protocol):
    """A customer of a billing system whose pages exist in name alone: addresses that begin with `pages`."""

    @property
    def pages(self) -> str: ...

    async def pay(self, page: str) -> bool:
        """Pay on a page of theirs; whether there was something to pay."""
        ...


def moment_on(clock: Clock, day: int, time: timedelta) -> datetime:
    """The moment on this clock for a time of a day of the calendar."""
    return at(day, time) + clock.lag
