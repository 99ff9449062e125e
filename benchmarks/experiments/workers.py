"""Workers that are given a backlog: ours, the usual actor, and messages that nobody does anything for."""

from collections.abc import Collection, Sequence
from contextlib import ExitStack

from benchmarks.errors import BenchmarkError
from benchmarks.experiment import Figures
from benchmarks.experiments import inbox
from benchmarks.experiments.backlog import Backlog
from benchmarks.house import House
from benchmarks.peers.names import NOOP, USUAL
from benchmarks.processes import RESOLUTION, processor_seconds
from benchmarks.programs import Program, dunning, module
from worker.queues import EVENTS

FIRST = 100
THREADS = "8"  # of every worker here; our own default


class OurWorkers:
    """`dunning worker --queues events`, so many of them, on rows that wait in the inbox."""

    def __init__(
        self,
        house: House,
        stack: ExitStack,
        name: str,
        redis: int,
        *,
        processes: int = 1,
        keep: Collection[str] = (),
        **settings: str,
    ) -> None:
        """They are started, and `apply` waits for that. The tables to `keep` are not emptied before it.

        The first rows, which open connections and import what only they need, are still to come.
        """
        self._house, self._keep = house, keep
        self.database, self.redis = house.database(), house.redis(redis)
        environment = house.environment(self.database, self.redis, DUNNING_WORKER_THREADS=THREADS, **settings)
        command = dunning("worker", "--queues", "events")
        self._programs = _start(house, stack, name, command, environment, processes)
        self._backlog = Backlog(stack, self._programs, self.redis, EVENTS)

    def apply(self, bodies: Sequence[str], *, by: int | None = None) -> Figures:
        """All of them, from empty tables; and which part of the processor time was PostgreSQL's.

        `by` so many of the processes, while the others stand still.
        """
        ids = self.store(bodies)
        before = self._used()
        seconds = self._backlog.work_off(self._backlog.messages(ids), by=by)
        ours, servers = (after - then for after, then in zip(self._used(), before, strict=True))
        inbox.check_applied(self._house, self.database, len(bodies))
        part = max(servers, RESOLUTION) / (max(ours, RESOLUTION) + max(servers, RESOLUTION))
        return {"rate": len(bodies) / seconds, "postgres_percent": 100 * part}

    def store(self, bodies: Sequence[str]) -> list[int]:
        """In the inbox, with no message for any, and nothing else there; their row ids."""
        self._house.empty(self.database, self._keep)
        self._house.forget(self.redis)
        return inbox.store(self.database, inbox.rows(bodies))

    def _used(self) -> tuple[float, float]:
        """Processor time so far: of the workers, and of PostgreSQL."""
        ours = sum(processor_seconds(program.pid) for program in self._programs)
        return ours, processor_seconds(self._house.postgres.pid)


class UsualWorker:
    """The usual actor on rows of its own table."""

    def __init__(self, house: House, stack: ExitStack, redis: int) -> None:
        """As above."""
        self._house, self._database = house, house.database(migrated=False)
        url = house.redis(redis)
        environment = house.environment(self._database, url, DUNNING_WORKER_THREADS=THREADS)
        program = _start(house, stack, "usual actor", module("peers.actors", USUAL.queue), environment, 1)
        self._backlog = Backlog(stack, program, url, USUAL)

    def apply(self, bodies: Sequence[str]) -> Figures:
        """All of them, from empty tables, which it makes as it starts."""
        self._backlog.wait_for_workers()
        self._house.query(self._database, "TRUNCATE audit, events, subscriptions RESTART IDENTITY")
        ids = list(range(1, len(bodies) + 1))
        self._house.query(
            self._database,
            "INSERT INTO events (id, payload) SELECT * FROM unnest($1::bigint[], $2::text[])",
            ids,
            bodies,
        )
        seconds = self._backlog.work_off(self._backlog.singles(ids))
        done = self._house.query(self._database, "SELECT count(*) FROM audit")[0][0]
        if done != len(bodies):
            raise BenchmarkError(f"the usual actor processed {done} of {len(bodies)} events")
        return {"rate": len(bodies) / seconds}


class NoopWorkers:
    """Messages that nobody does anything for, and so many processes for them."""

    def __init__(self, house: House, stack: ExitStack, redis: int, *, processes: int = 1) -> None:
        """As above."""
        url = house.redis(redis)
        environment = house.environment("", url, DUNNING_WORKER_THREADS=THREADS)
        command = module("peers.actors", NOOP.queue)
        programs = _start(house, stack, "no-op messages", command, environment, processes)
        self._backlog = Backlog(stack, programs, url, NOOP)

    def apply(self, count: int, *, by: int | None = None) -> Figures:
        """So many messages."""
        return {"rate": count / self._backlog.work_off(self._backlog.singles(range(count)), by=by)}


def _start(
    house: House, stack: ExitStack, name: str, command: Sequence[str], environment: dict[str, str], count: int
) -> list[Program]:
    programs = []
    for number in range(1, count + 1):
        program = house.programs.start(f"{name} {number}", command, environment)
        stack.callback(program.stop)
        programs.append(program)
    return programs
