"""Customers with stories made by the worker's own code, and a running access API to ask about them."""

from collections.abc import Callable, Iterator

import pytest

from sandbox.inbox import Inbox
from tests.console.process import ApiProcess
from tests.console.team_api import TeamApi, team_api
from tests.console.worlds import world_on
from tests.roles import as_role
from tests.scenarios.world import World

KEYS = ("test-key-0123456789abcdef", "test-key-fedcba9876543210")

StartApi = Callable[..., ApiProcess]


@pytest.fixture
def world(database_url: str, inbox: Inbox) -> Iterator[World]:
    """A world whose rows stand in the test's database."""
    with world_on(database_url, inbox) as world:
        yield world


@pytest.fixture
def start_api(database_url: str) -> Iterator[StartApi]:
    """Start the API on the test's database, or on another one; it is stopped with the test."""
    started: list[ApiProcess] = []

    def start(url: str = as_role(database_url, "api"), **settings: str) -> ApiProcess:
        started.append(ApiProcess(url, KEYS, **settings))
        return started[-1]

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def api(start_api: StartApi) -> ApiProcess:
    """A running API with two keys."""
    return start_api()


@pytest.fixture
def team(database_url: str) -> Iterator[TeamApi]:
    """The API in this process, on the test's database, with keys of every kind."""
    with team_api(database_url) as api:
        yield api
