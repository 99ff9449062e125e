"""Row 1: how many events one receiver process takes, each in the database before it is answered."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from benchmarks.experiment import Contender, Experiment, Mark
from benchmarks.experiments import receivers
from benchmarks.experiments.receivers import Flooded
from benchmarks.house import House
from benchmarks.scale import Scale


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    contenders = []
    with ExitStack() as stack:
        for recipe in (receivers.receiver(house), receivers.bare(house), receivers.tutorial(house)):
            server = house.start_server(recipe.name, recipe.command, recipe.environment, recipe.port_setting)
            stack.callback(server.stop)
            flooded = Flooded(house, scale, recipe)
            flooded.flood(server.port)  # opens its connections to the database, and does not count
            contenders.append(Contender(recipe.name, partial(flooded.flood, server.port)))
        yield contenders


RECEIVER = Experiment(
    "receiver",
    "Receiver: 64 connections, signed events of 4 KB, answered when committed",
    _set_up,
    (
        Mark("events, to bare ASGI", "receiver", "rate", "bare ASGI", must=0.15, aim=0.25),
        Mark("events, to the tutorial handler", "receiver", "rate", "tutorial handler", must=8),
    ),
)
