"""The world of the scenarios, for what can be learned of a lived story."""

from tests.scenarios.conftest import empty_stage, in_background, make_world, stage

__all__ = ["empty_stage", "in_background", "make_world", "stage"]
