"""Waking a worker from a command, where Redis is known: it saves the second until the scheduler looks."""

from __future__ import annotations

from collections.abc import Sequence

from settings import ToolSettings


def nudge(settings: ToolSettings, customer_ids: Sequence[int]) -> None:
    """Have these customers (row ids) looked at. Redis being away costs nothing but that second."""
    if settings.redis_url is None or not customer_ids:
        return
    from worker.broker import RedisNudge, create_broker
    from worker.queues import CASES

    RedisNudge(create_broker(settings.redis_url.get_secret_value())).send(CASES, customer_ids)
