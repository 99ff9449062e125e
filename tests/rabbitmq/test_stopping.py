"""With RabbitMQ silent, whoever is asked to stop ends all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rabbitmq.server import RabbitServer
from tests.webhooks.process import frozen
from tests.worker.process import process

STOPS_WITHIN = 25.0


@pytest.mark.parametrize("name", ["worker", "scheduler"])
def test_a_frozen_rabbitmq_holds_up_no_stop(
    database_url: str, broker_url: str, server: RabbitServer, tmp_path: Path, name: str
) -> None:
    """The broker is there and says nothing."""
    with process(name, tmp_path, database_url, "", BROKER_URL=broker_url) as stopping:
        stopping.until(f"{name}.started")
        with frozen(server.pid):
            code, seconds = stopping.stop()
    assert (code, seconds < STOPS_WITHIN) == (0, True), seconds


@pytest.mark.parametrize("name", ["worker", "scheduler"])
def test_a_clean_stop_takes_leave(
    database_url: str, broker_url: str, server: RabbitServer, tmp_path: Path, name: str
) -> None:
    """RabbitMQ has nothing to complain of in its log."""
    before = len(server.log.read_text())
    with process(name, tmp_path, database_url, "", BROKER_URL=broker_url) as stopping:
        stopping.until(f"{name}.started")
        assert stopping.stop()[0] == 0
    said = server.log.read_text()[before:]
    assert "closing AMQP connection" in said
    assert "unexpectedly" not in said
