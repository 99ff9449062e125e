"""A scheduler's turns when nothing is due: they must cost the same however many cases there are."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.experiment import Contender, Experiment, Figures, Mark
from benchmarks.house import House
from benchmarks.scale import Scale
from benchmarks.world import quiet
from db import status, totals
from db.retention import Keep
from db.session import create_engine
from dunning.breaker import Limits
from worker import breaker, reconciling
from worker.queues import Wakeup
from worker.retention import Retention
from worker.schedule import tick
from worker.services import wall_clock

FEW = 1_000
DELAY = 10.0  # seconds; as the settings have it
KEEP = Keep(*[timedelta(days=30)] * len(Keep.__slots__))
# How often each is done in a round.
TICKS, LOOKS = 100, 10
# Before the rounds: a prepared statement is planned anew five times, and then no more.
FIRST = 6

MANY, SOME = "many cases", "a thousand"


async def _nobody(wakeup: Wakeup, ids: Sequence[int]) -> None:
    """Nothing is due, so nobody is woken."""


class _Scheduler:
    """What a scheduler asks of one database, asked by this process."""

    def __init__(self, house: House, runner: asyncio.Runner, cases: int) -> None:
        database = house.database()
        quiet.fill(house, database, cases)
        self._runner = runner
        self._engine = create_engine(database, name="scheduler", pool_size=2)

    def turns(self, ticks: int = TICKS, looks: int = LOOKS) -> Figures:
        """Milliseconds of one of each kind."""
        return self._runner.run(self._turns(ticks, looks))

    async def _turns(self, ticks: int, looks: int) -> Figures:
        engine = self._engine
        return {
            "ms": await _each(ticks, lambda: tick(engine, _nobody, clock=wall_clock, delay=DELAY)),
            "watching_ms": await _each(looks, lambda: _watch(engine)),
            "retention_ms": await _each(looks, lambda: Retention(KEEP, time.monotonic).look(engine)),
            "metrics_ms": await _each(1, lambda: _measure(engine)),
        }

    def close(self) -> None:
        """Disconnect."""
        self._runner.run(self._engine.dispose())


async def _watch(engine: AsyncEngine) -> None:
    """Each ten seconds."""
    await breaker.watch(engine, _nobody, Limits())
    await reconciling.hand_out(engine, _nobody)


async def _measure(engine: AsyncEngine) -> None:
    """What metrics say of everything that is open: it has to be counted."""
    async with engine.connect() as connection:
        await status.read(connection)
        await totals.read(connection)


async def _each(times: int, turn: Callable[[], Awaitable[object]]) -> float:
    start = time.monotonic()
    for _ in range(times):
        await turn()
    return 1000 * (time.monotonic() - start) / times


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    with asyncio.Runner() as runner:
        many = _Scheduler(house, runner, scale.cases)
        some = _Scheduler(house, runner, min(FEW, scale.cases))
        # The first turns connect and prepare their statements.
        for each in (many, some):
            each.turns(ticks=FIRST, looks=FIRST)
        yield [Contender(MANY, many.turns), Contender(SOME, some.turns)]
        many.close()
        some.close()


TICK = Experiment(
    "tick",
    "A scheduler's tick when nothing is due, beside the same with a thousand cases",
    _set_up,
    (
        Mark("a tick, each second", MANY, "ms", SOME, must=1.5, aim=1.1, better="less"),
        Mark("the look for surges and alarms, each ten seconds", MANY, "watching_ms", SOME, better="less"),
        Mark("the look for what is kept too long, each hour", MANY, "retention_ms", SOME, better="less"),
        Mark(
            "what metrics count, each ten seconds where they are on", MANY, "metrics_ms", SOME, better="less"
        ),
    ),
)
