"""After an outage: events that wait in the inbox with no message for them, until the last is applied."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from benchmarks.experiment import Contender, Experiment, Figures, Mark
from benchmarks.experiments import inbox
from benchmarks.experiments.workers import FIRST, OurWorkers
from benchmarks.house import House
from benchmarks.programs import dunning
from benchmarks.scale import Scale
from benchmarks.waiting import wait_until
from benchmarks.world.accounts import subscription_updates

LIMIT = 1_200.0  # seconds
_ALL_DUE = "UPDATE inbox SET due_at = clock_timestamp() - interval '1 minute'"
_NOTHING_LEFT = "SELECT NOT EXISTS (SELECT FROM inbox WHERE status = 'pending')"


class _Outage:
    """One worker, and a scheduler, which alone finds the rows, and is there for that time only."""

    def __init__(self, house: House, workers: OurWorkers) -> None:
        self._house, self._workers = house, workers

    def work_off(self, bodies: Sequence[str]) -> Figures:
        """From the moment the scheduler is there to the last commit."""
        database, redis = self._workers.database, self._workers.redis
        self._house.empty(database)
        self._house.forget(redis)
        inbox.store(database, inbox.rows(bodies))
        self._house.execute(database, _ALL_DUE)
        environment = self._house.environment(database, redis)
        scheduler = self._house.programs.start("scheduler after an outage", dunning("scheduler"), environment)
        scheduler.wait_for_line("scheduler.started")
        start = time.monotonic()
        wait_until(self._is_done, "the last event", seconds=LIMIT, every=0.05)
        seconds = time.monotonic() - start
        scheduler.stop()
        inbox.check_applied(self._house, database, len(bodies))
        return {"rate": len(bodies) / seconds}

    def _is_done(self) -> bool:
        return bool(self._house.query(self._workers.database, _NOTHING_LEFT)[0][0])


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    updates, backlog = subscription_updates(scale.worker_messages), subscription_updates(scale.backlog)
    with ExitStack() as stack:
        worker = OurWorkers(house, stack, "worker after an outage", 14)
        outage = _Outage(house, worker)
        worker.apply(updates[:FIRST])
        yield [
            Contender("backlog", lambda: outage.work_off(backlog)),
            Contender("worker", lambda: worker.apply(updates)),
        ]


OUTAGE = Experiment(
    "outage",
    "A backlog after an outage that has lost every message, one worker process",
    _set_up,
    (
        Mark(
            "events to the last one, to the worker's own rate", "backlog", "rate", "worker", must=0.8, aim=1.0
        ),
    ),
    long=True,
)
