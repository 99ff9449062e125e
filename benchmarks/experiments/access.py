"""Row 6: may this customer use the product? Asked over HTTP, answered from the database."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks.experiment import Contender, Experiment, Figures, Mark
from benchmarks.experiments import inbox, receivers
from benchmarks.house import API_KEY, House
from benchmarks.load import CONNECTIONS, lookups
from benchmarks.programs import dunning
from benchmarks.scale import Scale
from benchmarks.world.accounts import customer_id, subscription_updates
from db.api_keys import digest_of


def _acquaint(house: House, database_url: str, customers: int) -> None:
    """Let so many customers be known, by events of theirs applied."""
    inbox.apply(database_url, inbox.store(database_url, inbox.rows(subscription_updates(customers))))
    inbox.check_applied(house, database_url, customers)


def _store_key(house: House, database_url: str) -> str:
    """A key as `dunning keys create` makes it."""
    secret = f"dk_{secrets.token_urlsafe(24)}"
    row = "INSERT INTO api_keys (digest, label, scopes) VALUES ($1, 'benchmarks', '{access}')"
    house.query(database_url, row, digest_of(secret.encode()))
    return secret


class _Asked:
    """A server that is asked the same all the time."""

    def __init__(self, house: House, port: int, requests: dict[str, Any], scale: Scale) -> None:
        self._house, self._port, self._requests, self._scale = house, port, requests, scale

    def by_many(self) -> Figures:
        """At once, for the rate."""
        busy = self._flood(CONNECTIONS)
        return {"rate": busy["rate"], "busy_p50_ms": busy["p50_ms"], "generator_cpu": busy["generator_cpu"]}

    def by_one(self) -> Figures:
        """For the time of an answer."""
        quiet = self._flood(1)
        return {"p50_ms": quiet["p50_ms"], "p99_ms": quiet["p99_ms"]}

    def by_both(self) -> Figures:
        """One after the other."""
        return {**self.by_many(), **self.by_one()}

    def _flood(self, connections: int) -> dict[str, Any]:
        return self._house.generator.flood(
            self._port,
            self._requests,
            warm_up=self._scale.warm_up_seconds,
            seconds=self._scale.load_seconds,
            connections=connections,
        )


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    database = house.database()
    _acquaint(house, database, scale.customers)
    house.query(database, "ANALYZE")
    paths = [f"/v1/access/{customer_id(number)}" for number in range(scale.customers)]
    requests, stored = (
        lookups(paths, f"Authorization: Bearer {key}") for key in (API_KEY, _store_key(house, database))
    )
    bare = receivers.bare(house)
    environment = house.environment(database, house.redis(0))
    with ExitStack() as stack:
        api = house.launch_server("access API", dunning("api"), environment, "DUNNING_API_PORT")
        peer = house.launch_server(bare.name, bare.command, bare.environment, bare.port_setting)
        for server in (api, peer):
            stack.callback(server.stop)
            server.wait_for_health()
        yield [
            Contender("access API", _Asked(house, api.port, requests, scale).by_both),
            Contender("with a stored key", _Asked(house, api.port, stored, scale).by_one),
            Contender(bare.name, _Asked(house, peer.port, requests, scale).by_many),
        ]


ACCESS = Experiment(
    "access",
    "Access check over HTTP: 64 callers for the rate, a single one for the time",
    _set_up,
    (
        Mark("checks, to bare ASGI", "access API", "rate", "bare ASGI", must=0.1, aim=0.3),
        Mark("time of a check, p50", "access API", "p50_ms", must=3, better="less"),
        Mark("the same by a stored key, p50", "with a stored key", "p50_ms", must=3, better="less"),
    ),
)
