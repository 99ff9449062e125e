"""A process that can be ended after any of its operations on the outside world, however many there are.

Nothing in the product knows of it: statements and commits are seen by the engine's own events, or on their
way to the driver where they go there past SQLAlchemy, and whatever else is outside (provider, mail server,
chat, endpoints, Redis) stands behind a `Port`. So no step can be forgotten. What comes after one operation is
what comes before the next: a run with n operations can end at n + 1 points.

A transaction is there as a whole or not at all, so two points are enough for each: before its commit and
after; a statement that is one by itself ends with its commit. In a `thorough` run every statement is a point,
which shows that it is so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from inspect import iscoroutine
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from worker.queues import Wakeup
from worker.services import Nudge

START, COMMIT = "start", "commit"


class ProcessEndedError(BaseException):
    """Stands for kill -9: nobody catches it, and nothing is done after it."""


class Failpoints:
    """`passed` are the points that the process of this moment has come by, the first being its start."""

    def __init__(self, *, thorough: bool = False) -> None:
        self.passed: list[str] = []
        self._thorough = thorough
        self._lives = False
        self._ended = asyncio.Event()
        self._end_at: int | None = None
        self._connections: set[Any] = set()

    async def live(self, work: Callable[[], Awaitable[object]], end_at: int | None = None) -> bool:
        """Be a process that does this, and end it at this point. False: it came to its own end before."""
        self.passed, self._end_at, self._lives = [], end_at, True
        self._ended.clear()
        loop = asyncio.get_running_loop()
        ending = asyncio.create_task(self._ended.wait())
        tasks: list[asyncio.Task[Any]] = [ending]

        def begin(_: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
            tasks.append(asyncio.Task(work, loop=loop, **options))
            return tasks[-1]

        loop.set_task_factory(begin)
        working = asyncio.create_task(self._begin(work))
        try:
            await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not self._ended.is_set():
                # A fault of the work itself is one of the test.
                await working
            return self._ended.is_set()
        finally:
            loop.set_task_factory(None)
            for task in tasks:
                task.cancel()
            # Also of those that have ended: what nobody has asked them for would be told at some later time.
            await asyncio.gather(*tasks, return_exceptions=True)
            self._lives = False

    async def _begin(self, work: Callable[[], Awaitable[object]]) -> None:
        self.reach(START)
        await work()

    def reach(self, point: str) -> None:
        """The process has come this far; it may be as far as it comes."""
        if not self._lives:
            return
        self.check()
        self.passed.append(point)
        if len(self.passed) - 1 == self._end_at:
            self._ended.set()
            # Its sockets are closed by the kernel, and what it had not committed is gone.
            for connection in self._connections:
                connection.driver_connection.terminate()
            raise ProcessEndedError(point)

    def check(self) -> None:
        """The dead do nothing more."""
        if self._lives and self._ended.is_set():
            raise ProcessEndedError

    def nudging(self, nudge: Nudge) -> Nudge:
        """Wake-ups that go out are operations, too."""

        async def watched(wakeup: Wakeup, ids: Sequence[int]) -> None:
            if ids:
                async with self.operation(f"nudge {wakeup.actor}"):
                    await nudge(wakeup, ids)

        return watched

    @asynccontextmanager
    async def operation(self, name: str) -> AsyncIterator[None]:
        """One call of somebody outside."""
        self.check()
        yield
        self.reach(name)

    def _reach_after(self, statement: str, isolation: str | None) -> None:
        if isolation == "AUTOCOMMIT":
            self.reach(COMMIT)
        elif self._thorough:
            self.reach(" ".join(statement.split()[:3]))

    def _by_driver(self, execute: Callable[..., Awaitable[str]]) -> Callable[..., Awaitable[str]]:
        """A statement that goes past SQLAlchemy, which itself has nothing but BEGIN and the like done so."""

        async def watched(connection: Any, statement: str, *values: Any, **options: Any) -> str:
            self.check()
            done = await execute(connection, statement, *values, **options)
            if values:
                self.reach(COMMIT)
            return done

        return watched

    @contextmanager
    def watching(self, engine: AsyncEngine) -> Iterator[None]:
        """See every statement and every commit of this engine."""
        sync, commit = engine.sync_engine, engine.sync_engine.dialect.do_commit

        def before(*_: Any) -> None:
            self.check()

        def after(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            self._reach_after(statement, connection.get_execution_options().get("isolation_level"))

        def committing(connection: Any) -> None:
            self.check()
            if not self._thorough:
                self.reach("before the commit")
            commit(connection)
            self.reach(COMMIT)

        def taken(connection: Any, *_: Any) -> None:
            self._connections.add(connection)

        def given_back(connection: Any, *_: Any) -> None:
            self._connections.discard(connection)

        listeners = {
            "before_cursor_execute": before,
            "after_cursor_execute": after,
            "checkout": taken,
            "checkin": given_back,
        }
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sync.dialect, "do_commit", committing)
            patch.setattr(asyncpg.Connection, "execute", self._by_driver(asyncpg.Connection.execute))
            for name, listener in listeners.items():
                event.listen(sync, name, listener)
            try:
                yield
            finally:
                for name, listener in listeners.items():
                    event.remove(sync, name, listener)


class Port:
    """Stands before somebody outside: each coroutine of theirs is an operation, all else is as it is."""

    def __init__(self, outside: Any, failpoints: Failpoints) -> None:
        self._outside, self._failpoints = outside, failpoints

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._outside, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            self._failpoints.check()
            answer = found(*arguments, **options)
            return self._operation(name, answer) if iscoroutine(answer) else answer

        return call

    async def _operation(self, name: str, answer: Coroutine[Any, Any, Any]) -> Any:
        async with self._failpoints.operation(f"{type(self._outside).__name__}.{name}"):
            return await answer
