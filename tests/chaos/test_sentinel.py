"""The primary dies and three Sentinels make a replica the primary: everybody follows, and nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.postgres import PostgresServer
from tests.chaos.conftest import Tell
from tests.chaos.house import House, house, nothing_is_lost_or_doubled, statuses
from tests.chaos.sentinels import Watched, watched
from tests.webhooks.process import wait_until
from worker.lengths import lengths


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Two servers and three Sentinels."""
    with watched(tmp_path_factory.mktemp("watched")) as servers:
        yield servers


@pytest.fixture(scope="module")
def town(
    servers: Watched,
    postgres_server: PostgresServer,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
    long: bool,
) -> Iterator[House]:
    """Our processes, which are told of the Sentinels alone."""
    url = postgres_server.create_database("chaos_sentinel", template=migrated_template)
    folder: Path = tmp_path_factory.mktemp("sentinel")
    with house(url, servers.url, folder, hurry=not long) as town:
        yield town
    postgres_server.drop_database("chaos_sentinel")


def test_a_primary_that_dies(town: House, servers: Watched, tell: Tell) -> None:
    """Every event is taken meanwhile, and wake-ups reach the new primary as soon as there is one."""
    answers = town.deliver_at_once(20)
    before = servers.ask()
    began = time.monotonic()
    servers.primary.kill()
    answers += town.deliver(20)
    wait_until(lambda: servers.ask() != before, "another primary")
    elected = time.monotonic() - began
    wait_until(lambda: lengths(servers.url) is not None, "the new primary to answer")

    def nudged() -> bool:
        answers.extend(town.deliver(1, pace=0.2))
        return bool(town.receiver.state()["redis"] == "up")

    wait_until(nudged, "the receiver to follow")
    wait_until(lambda: in_hand_nowhere(servers.url), "the worker to follow")
    figures = town.settle()
    tell("sentinel", faults=1, elected_after_seconds=round(elected, 1), **figures)
    assert statuses(answers) == {200}
    nothing_is_lost_or_doubled(figures)


def in_hand_nowhere(url: str) -> bool:
    """Whether the worker has taken from the new primary all that was queued there."""
    found = lengths(url)
    return found is not None and not any(queue.waiting for queue in found)
