"""The world of a scenario; everything in it is real but Stripe, which is simulated on loopback."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import pytest

from dunning.policy import Policy
from sandbox.inbox import Inbox
from sandbox.postgres import PostgresServer
from sandbox.stripe import SimulatedStripe, custom_schedule, simulated_stripe
from tests.scenarios.stage import Stage
from tests.scenarios.world import START, World

MakeWorld = Callable[..., World]


@pytest.fixture(scope="session")
def empty_stage(
    postgres_server: PostgresServer, migrated_template: str, database_names: Iterator[str]
) -> Iterator[Stage]:
    """One database for all scenarios: to make one and warm its connections up takes as long as a scenario."""
    stage = Stage(postgres_server.create_database(next(database_names), template=migrated_template))
    yield stage
    stage.close()


@pytest.fixture
def stage(empty_stage: Stage) -> Stage:
    empty_stage.clear()
    return empty_stage


@pytest.fixture(scope="session")
def in_background() -> Iterator[Callable[[Callable[[], Any]], None]]:
    """Whatever takes its time to stop, stops while the next test runs; its errors come at the end."""
    with ThreadPoolExecutor(4) as pool:
        ending: list[Future[Any]] = []
        yield lambda stop: ending.append(pool.submit(stop))
    for future in ending:
        future.result()


@pytest.fixture
def make_world(stage: Stage, inbox: Inbox, in_background: Any) -> Iterator[MakeWorld]:
    """Make the world with a policy, an API version or other options of its own."""
    made: list[tuple[World, AbstractContextManager[SimulatedStripe]]] = []

    def make(**options: Any) -> World:
        stripe = simulated_stripe(now=START, policy=custom_schedule(3, 5, 7))
        world = World(stage, stripe.__enter__(), inbox, **options)
        made.append((world, stripe))
        return world

    yield make
    for world, stripe in made:
        world.close()
        in_background(lambda stripe=stripe: stripe.__exit__(None, None, None))


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A world with the plain policy: Stripe retries on days 3, 8 and 15 and then cancels."""
    return make_world()


@pytest.fixture
def default_world(make_world: MakeWorld) -> World:
    """The same with the policy that nobody had to write."""
    return make_world(policy=Policy())
