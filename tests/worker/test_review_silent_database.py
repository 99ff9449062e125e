"""A database that does not answer is no reason for a worker to end in the middle of what it does."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.process import process


@pytest.fixture
def silence() -> Iterator[int]:
    """A port that takes connections and never says a word, as behind a firewall or a frozen host."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def test_a_database_that_never_answers_is_waited_for(silence: int, redis_url: str, tmp_path: Path) -> None:
    """The connection times out: the worker says so, waits, and stops cleanly."""
    url = f"postgresql://dunning@127.0.0.1:{silence}/dunning"
    with process("worker", tmp_path, url, redis_url) as worker:
        worker.until("database.unreachable")
        assert worker.stop()[0] == 0
        assert not worker.said("worker.stuck")
