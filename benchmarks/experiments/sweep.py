"""Everybody's grace ends at once: the scheduler's sweep, and workers that take access, beside bare SQL."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count

import asyncpg  # type: ignore[import-untyped]  # ships no annotations

from benchmarks.errors import BenchmarkError
from benchmarks.experiment import Contender, Experiment, Figures, Mark
from benchmarks.house import House
from benchmarks.processes import RESOLUTION, processor_seconds
from benchmarks.programs import dunning
from benchmarks.scale import Scale
from benchmarks.world import business
from settings.urls import for_asyncpg

WORKERS = 2
LIMIT = 300.0  # seconds
# As an operator sets it who wants all of it to happen today: no cap. The breaker is looked at all the same.
CAPS = {"DUNNING_BREAKER": "on", "DUNNING_REVOCATIONS_PER_HOUR": "0"}
# Asked all the time, so by one connection and an index: no row, nothing is due; true, it was handed out.
_FIRST_DUE = """
    SELECT swept_at IS NOT NULL FROM cases WHERE test_clock IS NULL AND due_at <= statement_timestamp()
    ORDER BY due_at LIMIT 1
"""
_LOOK_EVERY = 0.02  # seconds
_DONE = """
    SELECT (SELECT count(*) FROM access WHERE level = 'revoked' AND customer_id BETWEEN $1 AND $2),
           (SELECT count(*) FROM journal WHERE kind = 'access.taken' AND data->>'name' = 'revoked'
                                           AND customer_id BETWEEN $1 AND $2),
           (SELECT count(*) FROM outbox WHERE name = 'access_ended' AND customer_id BETWEEN $1 AND $2)
"""
# What has to be written at least, by the database alone: one UPDATE and two inserts of as many rows.
_BARE = """
    BEGIN;
    UPDATE cases SET taken_at = now(), taken_level = 'revoked', taken_from = 'limited', swept_at = NULL
    WHERE customer_id BETWEEN {first} AND {last};
    INSERT INTO outbox (customer_id, "case", step, kind, name, channel, reason, status, created_at)
    SELECT customer_id, invoice, 'bare:{turn}', 'mail', 'access_ended', 'mail', 'taken', 'sent', now()
    FROM cases WHERE customer_id BETWEEN {first} AND {last};
    INSERT INTO journal (customer_id, "case", at, kind, reason, data)
    SELECT customer_id, invoice, now(), 'access.changed', 'grace_expired', jsonb_build_object('to', 'revoked')
    FROM cases WHERE customer_id BETWEEN {first} AND {last};
    COMMIT;
"""


class _Sweep:
    """A business of which the next so many customers are made due, round after round."""

    def __init__(self, house: House, scale: Scale, stack: ExitStack) -> None:
        self._house, self._due = house, scale.due_at_once
        self._database, self._redis = house.database(), house.redis(6)
        # The last of them are for the bare statements.
        open_cases = max(scale.open_cases, (scale.rounds + 1) * self._due)
        self._bare = range(open_cases - self._due + 1, open_cases + 1)
        self._turns = count()
        environment = house.environment(self._database, self._redis, **CAPS)
        self._programs = []
        for number in range(WORKERS):
            name = f"worker of cases {number + 1}"
            program = house.programs.start(name, dunning("worker", "--queues", "cases"), environment)
            self._programs.append(program)
        self._programs.append(house.programs.start("scheduler", dunning("scheduler"), environment))
        for program in self._programs:
            stack.callback(program.stop)
        # While they start: nothing of it is due.
        business.fill(self._database, paying=scale.subscriptions - open_cases, open_cases=open_cases)
        for program in self._programs:
            program.wait_for_line(".started")

    def real(self) -> Figures:
        """From the scheduler's look that finds them until all of them are revoked.

        Until that look they wait, up to a whole tick: `wait_ms`, which is apart.
        """
        first = next(self._turns) * self._due + 1
        customers = range(first, first + self._due)
        self._house.execute(self._database, business.make_due(customers))
        used, stored = self._used()
        waited, took = asyncio.run(_until_done(for_asyncpg(self._database)))
        used_then, stored_then = self._used()
        self._check(customers)
        return {
            "ms": 1000 * took,
            "wait_ms": 1000 * waited,
            "programs_cpu_ms": 1000 * max(RESOLUTION, used_then - used),
            "postgres_cpu_ms": 1000 * max(RESOLUTION, stored_then - stored),
        }

    def bare(self) -> Figures:
        """The same rows, written by three statements."""
        statements = _BARE.format(first=self._bare[0], last=self._bare[-1], turn=time.monotonic_ns())
        start = time.monotonic()
        self._house.execute(self._database, statements)
        return {"ms": 1000 * (time.monotonic() - start)}

    def _used(self) -> tuple[float, float]:
        """Processor time so far: of the programs, and of PostgreSQL."""
        ours = sum(processor_seconds(program.pid) for program in self._programs)
        return ours, processor_seconds(self._house.postgres.pid)

    def _check(self, customers: range) -> None:
        done = self._house.query(self._database, _DONE, customers[0], customers[-1])[0]
        if set(done) != {len(customers)}:
            raise BenchmarkError(f"of {len(customers)} customers {done[0]} lost access, {done[1:]} written")
        # Nobody sends their mails here, which are another row of the table.
        self._house.query(self._database, "UPDATE outbox SET status = 'sent' WHERE status = 'pending'")
        self._house.forget(self._redis)


async def _until_done(dsn: str) -> tuple[float, float]:
    """Seconds until the first of those who are due are handed out, and from then on until nobody is due."""
    connection = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(LIMIT):
            start = found = time.monotonic()
            handed_out = False
            while (seen := await connection.fetchval(_FIRST_DUE)) is not None:
                if seen and not handed_out:
                    handed_out, found = True, time.monotonic()
                await asyncio.sleep(_LOOK_EVERY)
            return found - start, time.monotonic() - found
    except TimeoutError:
        raise BenchmarkError(f"waited {LIMIT:.0f} s for nothing to be due") from None
    finally:
        await connection.close()


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    with ExitStack() as stack:
        sweep = _Sweep(house, scale, stack)
        yield [Contender("sweep", sweep.real), Contender("bare statements", sweep.bare)]


SWEEP = Experiment(
    "sweep",
    "Grace sweep: from the look that finds them due until all are revoked, with mail, journal and access",
    _set_up,
    (
        Mark("to one UPDATE and two inserts", "sweep", "ms", "bare statements", must=8, aim=3, better="less"),
        Mark("all of them", "sweep", "ms", must=60_000, better="less"),
        Mark("before it, the wait for that look", "sweep", "wait_ms"),
        Mark("of which PostgreSQL's processor time", "sweep", "postgres_cpu_ms"),
        Mark("and the programs'", "sweep", "programs_cpu_ms"),
    ),
)
