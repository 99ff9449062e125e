"""Each fault test says in figures what it did and what came of it; `./run chaos` has the long form of all."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.scenarios.conftest import empty_stage, in_background, make_world, stage, world

__all__ = ["empty_stage", "in_background", "make_world", "stage", "world"]

Tell = Callable[..., None]


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether this is the long form, by command, and not the short one that every push waits for."""
    return bool(request.config.getoption("--long"))


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """tell("F5", seed=1, faults=12, lost=0): what one run came to, printed as one line of JSON at the end."""

    def tell(fault: str, **figures: object) -> None:
        record_property("figures", json.dumps({"fault": fault, **figures}))

    return tell
