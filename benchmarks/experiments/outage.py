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
from benchmarks.world import business
from benchmarks.world.accounts import subscription_updates

LIMIT = 1_200.0  # seconds
_LOOK_EVERY = 0.05  # seconds
# Who is known when it happens: an installation has been at work for long. What tables that were empty a
# moment ago cost is another question: a plan made for them reads them from end to end, until statistics come.
_STANDING = {"customers", "subscriptions", "access"}
_ALL_DUE = "UPDATE inbox SET due_at = clock_timestamp() - interval '1 minute'"
# As autovacuum leaves what has waited for hours.
_VACUUMED = "VACUUM (ANALYZE) inbox"
# Answered by an index, at its first entry.
_LEFT = "SELECT id FROM inbox WHERE status = 'pending' ORDER BY due_at LIMIT 1"


class _Outage:
    """One worker, and a scheduler, which alone finds the rows, and is there for that time only.

    Each round has customers of whom nobody has heard.
    """

    def __init__(self, house: House, scale: Scale, stack: ExitStack) -> None:
        self._house, self._scale = house, scale
        self._heard_of = 0
        self._workers = OurWorkers(house, stack, "worker after an outage", 14, keep=_STANDING)
        business.fill(self._workers.database, paying=scale.backlog, open_cases=business.LIVES)
        self._workers.apply(self._updates(FIRST))

    def work_off(self) -> Figures:
        """From the moment the scheduler is there to the last commit."""
        database, redis = self._workers.database, self._workers.redis
        count = len(self._workers.store(self._updates(self._scale.backlog)))
        for statement in (_ALL_DUE, _VACUUMED):
            self._house.execute(database, statement)
        environment = self._house.environment(database, redis)
        scheduler = self._house.programs.start("scheduler after an outage", dunning("scheduler"), environment)
        scheduler.wait_for_line("scheduler.started")
        start = time.monotonic()
        self._house.wait_until_none(database, _LEFT, "the last event", seconds=LIMIT, every=_LOOK_EVERY)
        seconds = time.monotonic() - start
        scheduler.stop()
        inbox.check_applied(self._house, database, count)
        return {"rate": count / seconds}

    def own_rate(self) -> Figures:
        """Of events that the worker is handed by messages."""
        return self._workers.apply(self._updates(self._scale.worker_messages))

    def _updates(self, count: int) -> list[str]:
        first, self._heard_of = self._heard_of, self._heard_of + count
        return subscription_updates(count, first)


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    with ExitStack() as stack:
        outage = _Outage(house, scale, stack)
        yield [Contender("backlog", outage.work_off), Contender("worker", outage.own_rate)]


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
