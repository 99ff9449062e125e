"""The demo's stage under fire: real processes are killed and come back; what has become of it all?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sandbox.demo.cast import Clock, Role, cast
from sandbox.demo.settled import count
from sandbox.demo.stage import Stage
from sandbox.demo.story import Story

T = TypeVar("T")

POLL_SECONDS = 0.05
# By day in the country of everybody's card, so that mails go out at once.
BY_DAY = timedelta(hours=15)


class Fire:
    """A stage whose processes are started again when they end, with a crowd of customers on it."""

    def __init__(self, stage: Stage, kinds: Sequence[Story], clocks: int) -> None:
        """Subscribe one customer of each kind on each of so many test clocks, and let that settle."""
        self.stage = stage
        self._runner = asyncio.Runner()
        self._engine = create_async_engine(stage.database_url, pool_size=1)
        crowd = [
            replace(kind, email=f"customer{number}@{kind.name.lower()}.example")
            for number in range(clocks)
            for kind in kinds
        ]
        self.roles = cast(stage.stripe.engine, crowd)
        self.until(self.settled, 60, "everybody has subscribed")

    @property
    def clocks(self) -> list[Clock]:
        """The test clocks, in order."""
        return list({role.clock.record.id: role.clock for role in self.roles}.values())

    def of(self, kind: Story) -> list[Role]:
        """The customers of one kind."""
        return [role for role in self.roles if role.story.name == kind.name]

    def advance(self, clock: Clock, day: int) -> None:
        """Move a clock, and with it Stripe, which sends its events as fast as it can."""
        self.stage.stripe.engine.advance(clock.record, clock.time(day, BY_DAY))

    def kill(self, name: str, while_there_is: str = "FROM inbox WHERE status = 'pending'") -> None:
        """SIGKILL one of our processes in the middle of the work; it is started again half a second later."""
        busy = f"SELECT 1 {while_there_is} LIMIT 1"
        self.until(lambda: self._runs(name) and self.rows(busy), 20, f"{name} is busy")
        self.stage.processes.named(name).kill()

    def _runs(self, name: str) -> bool:
        try:
            return self.stage.processes.named(name).poll() is None
        except LookupError:
            return False

    def until(self, condition: Callable[[], object], seconds: float, what: str) -> None:
        """Wait for the condition, starting again whatever has ended; fails the test after `seconds`."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.stage.processes.poll()
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}; left: {self.left()}"
            time.sleep(POLL_SECONDS)

    # what came of it

    def acknowledged(self) -> set[str]:
        """The ids of all events that were answered with 2xx."""
        return {each.event_id for each in self.stage.stripe.delivery.log if each.acknowledged}

    def settled(self) -> bool:
        """Whether every event is acknowledged and all that follows from it is done."""
        return len(self.acknowledged()) == len(self.stage.stripe.engine.events()) and not self.left()

    def left(self) -> object:
        """What is still to be done, as the tables say."""
        return self._ask(count)

    def rows(self, statement: str) -> list[Any]:
        """The answer of the database."""

        async def ask(engine: AsyncEngine) -> list[Any]:
            async with engine.connect() as connection:
                return list(await connection.execute(text(statement)))

        return self._ask(ask)

    def _ask(self, question: Callable[[AsyncEngine], Coroutine[Any, Any, T]]) -> T:
        return self._runner.run(question(self._engine))

    def close(self) -> None:
        """Leave the database alone."""
        self._runner.run(self._engine.dispose())
        self._runner.close()

    def access(self, roles: Iterable[Role]) -> set[str]:
        """The access levels that the API answers for these customers."""
        key = {"Authorization": f"Bearer {self.stage.api_key}"}
        with httpx.Client(base_url=self.stage.api_url, headers=key, trust_env=False) as api:
            return {api.get(f"/v1/access/{role.customer.id}").json()["level"] for role in roles}
