"""The world of the scenarios with a plain policy, for what the worker does in it."""

from typing import Any

import pytest

from tests.scenarios.conftest import MakeWorld, empty_stage, in_background, stage, world
from tests.scenarios.conftest import make_world as make_default_world
from tests.scenarios.world import World
from tests.worker.plain import PLAIN

__all__ = ["empty_stage", "in_background", "make_default_world", "stage", "world"]


@pytest.fixture
def make_world(make_default_world: MakeWorld) -> MakeWorld:
    """Make the world with other options; without a policy of its own it has the plain one."""

    def make(**options: Any) -> World:
        return make_default_world(**{"policy": PLAIN} | options)

    return make
