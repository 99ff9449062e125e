"""One house for all rows, as the suite has it."""

from collections.abc import Iterator

import pytest

from benchmarks.house import House, house


@pytest.fixture(scope="session")
def servers() -> Iterator[House]:
    """Servers, programs and the load generator."""
    with house() as running:
        yield running
