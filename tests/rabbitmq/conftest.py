"""A real RabbitMQ for the tests of this folder, which are run by command: it is not on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.conftest import long, tell
from tests.rabbitmq.server import RabbitServer, installation, rabbitmq
from worker import rabbit
from worker.queues import WAKEUPS

__all__ = ["long", "tell"]

FOLDER = Path(__file__).parent
CURE = "these need a RabbitMQ, which `./run rabbitmq` fetches from Debian's packages"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without `--rabbitmq` they are skipped, and say what to do instead."""
    if not config.getoption("--rabbitmq"):
        for item in items:
            if item.path.is_relative_to(FOLDER):
                item.add_marker(pytest.mark.skip(reason=CURE))


@pytest.fixture(scope="session")
def server() -> Iterator[RabbitServer]:
    """The one that all of them share."""
    root = installation()
    assert root is not None, CURE
    with rabbitmq(root) as running:
        yield running


@pytest.fixture
def broker_url(server: RabbitServer) -> str:
    """It has no queue of ours yet."""
    for name in server.queues():
        server.control("delete_queue", name)
    return server.url


def every_queue() -> set[str]:
    """Ours, as RabbitMQ calls them."""
    return {rabbit.name(wakeup.queue) for wakeup in WAKEUPS}
