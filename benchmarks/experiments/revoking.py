"""The scheduler and workers of cases, and customers whose grace ends: until all of them have lost access."""

import asyncio
import time
from contextlib import ExitStack

import asyncpg  # type: ignore[import-untyped]  # ships no annotations

from benchmarks.errors import BenchmarkError
from benchmarks.experiment import Figures
from benchmarks.house import House
from benchmarks.processes import RESOLUTION, processor_seconds
from benchmarks.programs import dunning
from benchmarks.world import business
from sandbox.programs import free_port
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


class Revoking:
    """Programs on a database and a Redis of their own. They are started at once, and `ready` waits for them.

    With `measured` the workers tell at these ports (`metrics`) what they measure.
    """

    def __init__(self, house: House, stack: ExitStack, *, measured: bool = False, **settings: str) -> None:
        self._house = house
        self.database, self._redis = house.database(), house.redis(6)
        environment = house.environment(self.database, self._redis, **{**CAPS, **settings})
        self.metrics = [free_port() for _ in range(WORKERS)] if measured else []
        self._programs = []
        for number in range(WORKERS):
            name, told = f"worker of cases {number + 1}", dict(environment)
            if measured:
                told["DUNNING_METRICS_PORT"] = str(self.metrics[number])
            self._programs.append(house.programs.start(name, dunning("worker", "--queues", "cases"), told))
        self._programs.append(house.programs.start("scheduler", dunning("scheduler"), environment))
        for program in self._programs:
            stack.callback(program.stop)

    def ready(self) -> None:
        """Wait until all of them run."""
        for program in self._programs:
            program.wait_for_line(".started")

    def revoke(self, customers: range) -> Figures:
        """From the scheduler's look that finds these (row ids) until all of them are revoked.

        Until that look they wait, up to a whole tick: `wait_ms`, which is apart.
        """
        self._house.execute(self.database, business.make_due(customers))
        used, stored = self._used()
        waited, took = asyncio.run(_until_done(for_asyncpg(self.database)))
        used_then, stored_then = self._used()
        self._check(customers)
        return {
            "ms": 1000 * took,
            "wait_ms": 1000 * waited,
            "rate": len(customers) / took,
            "programs_cpu_ms": 1000 * max(RESOLUTION, used_then - used),
            "postgres_cpu_ms": 1000 * max(RESOLUTION, stored_then - stored),
        }

    def _used(self) -> tuple[float, float]:
        """Processor time so far: of the programs, and of PostgreSQL."""
        ours = sum(processor_seconds(program.pid) for program in self._programs)
        return ours, processor_seconds(self._house.postgres.pid)

    def _check(self, customers: range) -> None:
        done = self._house.query(self.database, _DONE, customers[0], customers[-1])[0]
        if set(done) != {len(customers)}:
            raise BenchmarkError(f"of {len(customers)} customers {done[0]} lost access, {done[1:]} written")
        # Nobody sends their mails here, which are another row of the table.
        self._house.query(self.database, "UPDATE outbox SET status = 'sent' WHERE status = 'pending'")
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
