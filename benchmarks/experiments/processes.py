"""The worker row with one, two and four processes, on one machine with its servers."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from benchmarks.experiment import Contender, Experiment, Mark
from benchmarks.experiments.workers import FIRST, NoopWorkers, OurWorkers
from benchmarks.house import House
from benchmarks.scale import Scale
from benchmarks.world.accounts import subscription_updates

COUNTS = (1, 2, 4)


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    updates = subscription_updates(scale.worker_messages)
    with ExitStack() as stack:
        # As many as the most, of which the others stand still while fewer are measured.
        ours = OurWorkers(house, stack, "one of four workers", 7, processes=COUNTS[-1])
        noop = NoopWorkers(house, stack, 8, processes=COUNTS[-1])
        contenders = []
        for count in COUNTS:
            ours.apply(updates[: count * FIRST], by=count)
            noop.apply(count * FIRST, by=count)
            contenders += [
                Contender(f"worker x {count}", partial(ours.apply, updates, by=count)),
                Contender(f"no-op x {count}", partial(noop.apply, 2 * len(updates), by=count)),
            ]
        yield contenders


PROCESSES = Experiment(
    "processes",
    "The same with one, two and four worker processes beside their servers",
    _set_up,
    (
        Mark("one process, to no-op messages", "worker x 1", "rate", "no-op x 1", must=0.5, aim=1.5),
        Mark("two, to no-op messages with two", "worker x 2", "rate", "no-op x 2", must=0.5, aim=1.5),
        Mark("four, to no-op messages with four", "worker x 4", "rate", "no-op x 4"),
        Mark("two, to one", "worker x 2", "rate", "worker x 1"),
        Mark("four, to one", "worker x 4", "rate", "worker x 1"),
        Mark("PostgreSQL's part of the processor time, two processes", "worker x 2", "postgres_percent"),
    ),
)
