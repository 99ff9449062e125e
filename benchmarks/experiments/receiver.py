"""Row 1: how many events one receiver process takes, each in the database before it is answered."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from benchmarks.experiment import Contender, Experiment, Mark
from benchmarks.experiments import receivers
from benchmarks.house import House
from benchmarks.scale import Scale


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    recipes = (receivers.receiver(house), receivers.bare(house), receivers.tutorial(house))
    with ExitStack() as stack:
        yield receivers.contenders(house, scale, stack, recipes)


RECEIVER = Experiment(
    "receiver",
    "Receiver: 64 connections, signed events of 4 KB, answered when committed",
    _set_up,
    (
        Mark("events, to bare ASGI", "receiver", "rate", "bare ASGI", must=0.15, aim=0.25),
        Mark("events, to the tutorial handler", "receiver", "rate", "tutorial handler", must=8),
    ),
)
