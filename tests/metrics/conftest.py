"""The world of the scenarios, and what a scheduler would tell of it."""

import pytest

from tests.metrics.watching import Watching
from tests.scenarios.conftest import empty_stage, in_background, make_world, stage, world
from tests.scenarios.world import World

__all__ = ["empty_stage", "in_background", "make_world", "stage", "world"]


@pytest.fixture
def watching(world: World, redis_url: str) -> Watching:
    """A scheduler's look at the world."""
    return Watching(world, redis_url)
