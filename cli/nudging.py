"""Waking a worker from a command, where a broker is known: it saves the second until the scheduler looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from settings import ToolSettings

if TYPE_CHECKING:
    from worker.queues import Wakeup


def nudge(settings: ToolSettings, customer_ids: Sequence[int]) -> None:
    """Have these customers (row ids) looked at. The broker being away costs nothing but that second."""
    from worker.queues import CASES

    _send(settings, CASES, customer_ids)


def nudge_mail(settings: ToolSettings, rows: Sequence[int]) -> None:
    """Have these rows of the outbox sent."""
    from worker.queues import MAIL

    _send(settings, MAIL, rows)


def nudge_endpoint(settings: ToolSettings, endpoint_id: int) -> None:
    """Have what is due there sent."""
    from worker.queues import WEBHOOKS

    _send(settings, WEBHOOKS, [endpoint_id])


def _send(settings: ToolSettings, wakeup: Wakeup, ids: Sequence[int]) -> None:
    if settings.known_queue_url is None or not ids:
        return
    from worker.broker import QueueNudge, create_broker

    QueueNudge(create_broker(settings.known_queue_url)).send(wakeup, ids)
