"""Compare two policies for every customer in the database, on all cores, from one moment of the database.

Each process reads its own batches from the exported snapshot and gives back differences only.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import get_context, util
from typing import TYPE_CHECKING

from cli.database import failure, snapshot_of
from dunning.comparison import Comparison, Difference, Totals, largest
from dunning.segments import PolicySource

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

BATCH = 200  # customers
# Starting processes takes about as long as so many customers do.
WORTH_PROCESSES = 1_000
# Batches that wait for a process: enough to keep each of them busy.
AHEAD = 2


@dataclass(frozen=True, slots=True)
class Question:
    """`keep` is how many differences are wanted, the largest; None: all of them."""

    old: PolicySource
    new: PolicySource
    since: datetime | None = None
    keep: int | None = None


@dataclass(slots=True)
class Answer:
    """Totals over all customers, and the differences that were to be kept, the largest first."""

    totals: Totals = field(default_factory=Totals)
    differences: list[Difference] = field(default_factory=list)

    def join(self, other: Answer, keep: int | None) -> None:
        self.totals.join(other.totals)
        self.differences = _kept(self.differences + other.differences, keep)


def _kept(found: list[Difference], keep: int | None) -> list[Difference]:
    return largest(found, len(found) if keep is None else keep)


async def compare_all(
    connection: AsyncConnection,
    url: str,
    question: Question,
    *,
    begun: Callable[[int], None],
    done: Callable[[int], None],
    batch: int = BATCH,
    worth_processes: int = WORTH_PROCESSES,
) -> Answer:
    """The answer for everybody whom `connection` sees. `url` is where further processes connect to.

    They are started for `worth_processes` customers or more, where there are cores for them.

    `begun` hears how many customers there are, `done` of each batch how many it had.
    """
    from db.lookups import count_customers_with_cases

    count = await count_customers_with_cases(connection, since=question.since)
    begun(count)
    answer = Answer()
    if count < worth_processes or _cores() == 1:
        comparison = Comparison(question.old, question.new, question.since)
        async for ids in _batches(connection, question.since, batch):
            answer.join(await _compare(connection, ids, comparison, question.keep), question.keep)
            done(len(ids))
        return answer
    async with AsyncExitStack() as stack:
        submit = await stack.enter_async_context(_processes(connection, url, question))
        waiting: set[asyncio.Future[Answer]] = set()

        async def take(at_most: int) -> None:
            nonlocal waiting
            while len(waiting) > at_most:
                ready, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for each in ready:
                    part = each.result()
                    answer.join(part, question.keep)
                    done(part.totals.customers)

        async for ids in _batches(connection, question.since, batch):
            waiting.add(submit(ids))
            await take(AHEAD * _cores())
        await take(0)
    return answer


async def _batches(
    connection: AsyncConnection, since: datetime | None, batch: int
) -> AsyncIterator[list[int]]:
    from db.lookups import customers_with_cases

    last = 0
    while ids := await customers_with_cases(connection, since=since, after=last, limit=batch):
        yield ids
        last = ids[-1]


async def _compare(
    connection: AsyncConnection, ids: Sequence[int], comparison: Comparison, keep: int | None
) -> Answer:
    from db import accounts

    answer = Answer()
    loaded = await accounts.load(connection, ids, facts_only=True)
    found = [comparison.of(each.account) for each in loaded.values()]
    for each in found:
        answer.totals.add(each)
    answer.differences = _kept(found, keep)
    return answer


def _cores() -> int:
    return len(os.sched_getaffinity(0))


# further processes


@asynccontextmanager
async def _processes(
    connection: AsyncConnection, url: str, question: Question
) -> AsyncIterator[Callable[[list[int]], asyncio.Future[Answer]]]:
    """Hands batches to as many processes as there are cores; they end with the block, whatever happens."""
    from sqlalchemy import func, select

    snapshot = (await connection.execute(select(func.pg_export_snapshot()))).scalar_one()
    pool = ProcessPoolExecutor(
        max_workers=_cores(),
        mp_context=get_context("spawn"),
        initializer=_start,
        initargs=(url, snapshot, question),
    )
    loop = asyncio.get_running_loop()
    try:
        yield lambda ids: loop.run_in_executor(pool, _answer, ids)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@dataclass(slots=True)
class _Own:
    """What one further process has."""

    runner: asyncio.Runner
    connection: AsyncConnection
    comparison: Comparison
    keep: int | None


_own: list[_Own] = []


def _start(url: str, snapshot: str, question: Question) -> None:
    # Ctrl-C reaches the whole group; the parent tells its children what to do about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    runner = asyncio.Runner()
    stack = AsyncExitStack()
    connection = runner.run(stack.enter_async_context(snapshot_of(url, snapshot)))
    comparison = Comparison(question.old, question.new, question.since)
    # What has been imported lives as long as the process: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    _own.append(_Own(runner, connection, comparison, question.keep))
    util.Finalize(None, lambda: runner.run(stack.aclose()), exitpriority=10)


def _answer(ids: list[int]) -> Answer:
    from sqlalchemy.exc import DBAPIError

    [own] = _own
    try:
        return own.runner.run(_compare(own.connection, ids, own.comparison, own.keep))
    except DBAPIError as error:
        # Told in words: not every driver's error can be sent from one process to another.
        raise failure(error.orig or error, getattr(error.orig, "sqlstate", None)) from None
