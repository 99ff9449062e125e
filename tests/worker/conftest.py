"""The world of the scenarios, for what the worker does in it."""

from tests.scenarios.conftest import empty_stage, in_background, make_world, stage, world

__all__ = ["empty_stage", "in_background", "make_world", "stage", "world"]
