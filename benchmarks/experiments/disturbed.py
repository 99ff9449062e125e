"""Row 2: the receiver while Redis stands still, and while every event comes twice."""

import http.client
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.experiment import Contender, Experiment, Figures, Mark
from benchmarks.experiments import receivers
from benchmarks.experiments.receivers import Flooded
from benchmarks.house import House
from benchmarks.programs import Program, frozen
from benchmarks.scale import Scale
from benchmarks.waiting import wait_until


class _Disturbed:
    """One receiver, under the same flood in three situations."""

    def __init__(self, house: House, scale: Scale, recipe: receivers.Recipe, server: Program) -> None:
        self._house, self._port = house, server.port
        self._once = Flooded(house, scale, recipe)
        self._twice = Flooded(house, scale, recipe, copies=2)

    def undisturbed(self) -> Figures:
        """Redis is there, each event comes once."""
        self._let_it_find_redis()
        return self._once.flood(self._port)

    def without_redis(self) -> Figures:
        """Redis keeps its connections open and answers nothing."""
        self._let_it_find_redis()
        return self._once.flood(self._port, during=lambda: frozen(self._house.valkey.pid))

    def twice(self) -> Figures:
        """Both deliveries of an event are under way at once."""
        self._let_it_find_redis()
        return self._twice.flood(self._port)

    def _let_it_find_redis(self) -> None:
        """After a fault the receiver leaves Redis alone for a second; then it takes an event to notice."""

        def found() -> bool:
            self._once.send_one(self._port)
            return _redis_state(self._port) == "up"

        wait_until(found, "the receiver to find Redis again", every=0.05)


def _redis_state(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return str(json.loads(connection.getresponse().read())["redis"])
    finally:
        connection.close()


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    recipe = receivers.receiver(house)
    server = house.start_server(recipe.name, recipe.command, recipe.environment, recipe.port_setting)
    try:
        disturbed = _Disturbed(house, scale, recipe, server)
        yield [
            Contender("undisturbed", disturbed.undisturbed),
            Contender("Redis frozen", disturbed.without_redis),
            Contender("each event twice", disturbed.twice),
        ]
    finally:
        server.stop()


DISTURBED = Experiment(
    "disturbed",
    "Receiver, disturbed: p99 of the same load, to itself undisturbed",
    _set_up,
    (
        Mark(
            "p99 with Redis frozen", "Redis frozen", "p99_ms", "undisturbed", must=1.5, aim=1.1, better="less"
        ),
        Mark(
            "p99 with each event twice",
            "each event twice",
            "p99_ms",
            "undisturbed",
            must=1.5,
            aim=1.1,
            better="less",
        ),
    ),
)
