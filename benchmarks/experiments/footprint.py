"""Row 3: what a receiver costs that has nothing to do: memory, and the time until it answers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from benchmarks.experiment import Contender, Experiment, Figures, Mark
from benchmarks.experiments import receivers
from benchmarks.experiments.receivers import Flooded, Recipe
from benchmarks.house import House
from benchmarks.processes import memory_mb
from benchmarks.scale import Scale


def _measure(house: House, recipe: Recipe, flooded: Flooded) -> Figures:
    """Start it, load it, weigh it, stop it. Memory is taken after the load, when everything is imported."""
    server = house.launch_server(recipe.name, recipe.command, recipe.environment, recipe.port_setting)
    try:
        ready = server.wait_for_health()
        flooded.flood(server.port)
        return {
            "ready_ms": 1000 * ready,
            "pss_mb": memory_mb(server.pid, "Pss"),
            "rss_mb": memory_mb(server.pid, "Rss"),
        }
    finally:
        server.stop()


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    recipes = (receivers.receiver(house), receivers.tutorial(house))
    yield [
        Contender(recipe.name, partial(_measure, house, recipe, Flooded(house, scale, recipe)))
        for recipe in recipes
    ]


FOOTPRINT = Experiment(
    "footprint",
    "Receiver: memory after load, and time from start to the first answer",
    _set_up,
    (
        Mark("memory (PSS)", "receiver", "pss_mb", must=40, aim=30, better="less"),
        Mark(
            "ready, to the tutorial handler",
            "receiver",
            "ready_ms",
            "tutorial handler",
            must=0.6,
            better="less",
        ),
    ),
)
