"""Each fault test says in figures what it did and what came of it; `./run chaos` has the long form of all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
import structlog

from tests.scenarios.conftest import empty_stage, in_background, make_world, stage, world
from tests.worker.chat import Chat, chat

__all__ = ["empty_stage", "in_background", "make_world", "stage", "world"]

Tell = Callable[..., None]

SEEDS = (1, 2, 3)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with a `seed` is run with one, with three in the long form, or with that of `--seed`.

    Those whose module says `ONE_SEED = True` have enough of one, the others draw their faults from it.
    """
    if "seed" in metafunc.fixturenames:
        given = metafunc.config.getoption("--seed")
        many = metafunc.config.getoption("--long") and not getattr(metafunc.module, "ONE_SEED", False)
        seeds = SEEDS if many else SEEDS[:1]
        metafunc.parametrize("seed", seeds if given is None else (given,), scope="module")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is marked `only_long` takes minutes, and is left out of the short form."""
    if not config.getoption("--long"):
        left_out = [item for item in items if item.get_closest_marker("only_long")]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item not in left_out]


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


@pytest.fixture
def quiet() -> Iterator[None]:
    """What the dead have to say fills pages."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture(scope="module")
def room() -> Iterator[Chat]:
    """The team's chat."""
    with chat() as running:
        yield running
