"""The receiver and its peers as programs, and floods of events over any of them."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial

from benchmarks.errors import BenchmarkError
from benchmarks.experiment import Contender, Figures
from benchmarks.house import SECRET, House
from benchmarks.load import CONNECTIONS, Events
from benchmarks.peers.tables import WEBHOOK_EVENTS
from benchmarks.programs import dunning, module
from benchmarks.scale import Scale
from benchmarks.world.accounts import event_template

PATH = "/webhooks/stripe"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a server is started, and the table where its events must be when it has answered.

    `connections`: as many as make it answer the most events; more would only wait for one another.
    """

    name: str
    command: list[str]
    environment: Mapping[str, str]
    port_setting: str
    database_url: str
    redis_url: str
    table: str | None
    path: str = PATH
    connections: int = CONNECTIONS


def receiver(house: House) -> Recipe:
    """Ours: `dunning receiver`."""
    database, redis = house.database(), house.redis(0)
    environment = house.environment(database, redis)
    return Recipe(
        "receiver", dunning("receiver"), environment, "DUNNING_RECEIVER_PORT", database, redis, "inbox"
    )


def bare(house: House) -> Recipe:
    """The ceiling."""
    environment = house.environment("", "")
    return Recipe("bare ASGI", module("peers.bare"), environment, "PORT", "", "", None)


def tutorial(house: House) -> Recipe:
    """The tutorial handler, with a database of its own on the same server."""
    database = house.database(migrated=False)
    house.query(database, WEBHOOK_EVENTS)
    environment = house.environment(database, "")
    return Recipe(
        "tutorial handler", module("peers.tutorial"), environment, "PORT", database, "", "webhook_events"
    )


def contenders(
    house: House, scale: Scale, stack: ExitStack, recipes: Iterable[Recipe], template: str | None = None
) -> list[Contender]:
    """Each started, under floods of its own, until the stack ends."""
    started = []
    for recipe in recipes:
        server = house.launch_server(recipe.name, recipe.command, recipe.environment, recipe.port_setting)
        stack.callback(server.stop)
        started.append((recipe, server))
    found = []
    for recipe, server in started:
        server.wait_for_health()
        flooded = Flooded(house, scale, recipe, template=template)
        # Opens its connections to the database, tells how many requests it takes, and does not count.
        flooded.flood(server.port, warm_up=0.0)
        found.append(Contender(recipe.name, partial(flooded.flood, server.port)))
    return found


class Flooded:
    """A server under floods of signed events of 4 KB; each flood begins with empty tables."""

    def __init__(
        self, house: House, scale: Scale, recipe: Recipe, *, copies: int = 1, template: str | None = None
    ) -> None:
        """Nothing is started: a flood goes to the port it is told. `template`: as `event_template`'s."""
        self._house, self._scale, self._recipe = house, scale, recipe
        self._copies = copies
        self._events = Events(recipe.path, SECRET, template or event_template(), copies=copies)

    def flood(
        self,
        port: int,
        *,
        during: Callable[[], AbstractContextManager[None]] = nullcontext,
        warm_up: float | None = None,
    ) -> Figures:
        """One flood, in some situation. Raises BenchmarkError when an answered event is not in the table."""
        self._clear()
        warm_up = self._scale.warm_up_seconds if warm_up is None else warm_up
        requests = self._events.next(warm_up + self._scale.load_seconds)
        with during():
            result = self._house.generator.flood(
                port,
                requests,
                warm_up=warm_up,
                seconds=self._scale.load_seconds,
                connections=self._recipe.connections,
            )
        self._events.learn(result["rate"])
        self._check(result["answers"])
        return {name: result[name] for name in ("rate", "p50_ms", "p99_ms", "generator_cpu")}

    def send_one(self, port: int) -> None:
        """A single event."""
        self._house.generator.pace(port, self._events.some(1), per_second=1)

    def _clear(self) -> None:
        if self._recipe.table:
            self._house.query(self._recipe.database_url, f"TRUNCATE {self._recipe.table}")
        if self._recipe.redis_url:
            self._house.forget(self._recipe.redis_url)

    def _check(self, answered: int) -> None:
        if self._recipe.table is None:
            return
        statement = f"SELECT count(*) FROM {self._recipe.table}"  # noqa: S608  a name of our own
        stored = self._house.query(self._recipe.database_url, statement)[0][0]
        if not answered <= stored * self._copies < answered + self._copies * CONNECTIONS:
            raise BenchmarkError(f"{self._recipe.name}: {answered} answers, but {stored} events are stored")
