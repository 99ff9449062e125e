"""The receiver is killed at each point between request and answer: what it answered 200 to is stored."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import pytest

from settings.urls import for_asyncpg
from tests.chaos.conftest import Tell
from tests.chaos.failpoints import Failpoints, Port
from tests.chaos.posting import a_receiver, post
from tests.webhooks.stripe_calls import event


class Lines:
    """The receiver's connections to its database, each command of which is an operation."""

    def __init__(self, failpoints: Failpoints, patch: pytest.MonkeyPatch) -> None:
        self._failpoints, self._connect = failpoints, asyncpg.connect
        self._open: list[Any] = []
        patch.setattr(asyncpg, "connect", self.connect)

    async def connect(self, *arguments: Any, **options: Any) -> Any:
        async with self._failpoints.operation("connect"):
            self._open.append(await self._connect(*arguments, **options))
        return _Line(self._open[-1], self._failpoints)

    def cut(self) -> None:
        """The kernel closes what a dead process had open."""
        for connection in self._open:
            connection.terminate()
        self._open.clear()


class _Line(Port):
    """A connection whose prepared statements are outside as well."""

    async def prepare(self, statement: str) -> Port:
        async with self._failpoints.operation("prepare"):
            return Port(await self._outside.prepare(statement), self._failpoints)


def test_a_receiver_killed_at_any_point_loses_and_doubles_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tell: Tell
) -> None:
    """Stripe repeats what was not answered; each event is there once, and before it is acknowledged."""
    failpoints = Failpoints()
    lines = Lines(failpoints, monkeypatch)
    acknowledged: set[str] = set()

    async def deliver(name: str, end_at: int | None) -> bool:
        async def life() -> None:
            receiver = a_receiver(database_url)
            receiver.start()

            async def answered(status: int) -> None:
                async with failpoints.operation("answer"):
                    acknowledged.add(name)
                    assert status == 200

            await post(receiver, event(name), answered)
            await receiver.close()

        ended = await failpoints.live(life, end_at)
        lines.cut()
        return ended

    async def story() -> tuple[int, list[Any], set[str]]:
        number = 0
        while await deliver(f"evt_{number}", number):
            number += 1
        stored = await _stored(database_url)
        early = acknowledged - set(stored)
        for again in range(number + 1):
            await deliver(f"evt_{again}", None)
        return number, await _stored(database_url), early

    points, stored, early = asyncio.run(story())
    lost = len(acknowledged - set(stored)) + len(early)
    tell("F11", actor="a receiver's intake", points=points, lost=lost, doubled=len(stored) - len(set(stored)))
    assert set(stored) == acknowledged == {f"evt_{number}" for number in range(points + 1)}
    assert len(stored) == points + 1
    assert not early


async def _stored(database_url: str) -> list[str]:
    connection = await asyncpg.connect(for_asyncpg(database_url))
    try:
        return [row["event_id"] for row in await connection.fetch("SELECT event_id FROM inbox")]
    finally:
        await connection.close()
