"""A migrated database of the test's own, and a way to run statements on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]


class Database(Protocol):
    """Runs work on the test's database."""

    def commit(self, work: Work[T]) -> T:
        """In one transaction, committed."""
        ...

    def play(self, story: Callable[[AsyncEngine], Awaitable[T]]) -> T:
        """With an engine, for as many connections as the story wants."""
        ...


class _Database:
    """One event loop, and a new connection for each piece of work."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        self._engine = create_async_engine(url, poolclass=NullPool)
        self._runner = runner

    def commit(self, work: Work[T]) -> T:
        async def run() -> T:
            async with self._engine.begin() as connection:
                return await work(connection)

        return self._runner.run(run())

    def play(self, story: Callable[[AsyncEngine], Awaitable[T]]) -> T:
        async def run() -> T:
            return await story(self._engine)

        return self._runner.run(run())


@contextmanager
def database_at(url: str) -> Iterator[Database]:
    """The database of this address, for tests of other rooms too."""
    with asyncio.Runner() as runner:
        yield _Database(url, runner)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty, migrated database."""
    with database_at(database_url) as database:
        yield database
