"""Tell the merchant's team that the breaker holds everything back, at least once on every channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import structlog

from db import breaker
from db.breaker import Tripped
from emails.alarm import alarm_chat, alarm_mail
from emails.delivery import Accepted, Rejected
from worker.courier import BusyError, Courier
from worker.services import Services

log = structlog.get_logger()

# Seconds to wait for the mail server to be done with others.
PATIENCE = 20.0


async def sound_alarm(services: Services, courier: Courier, ids: Sequence[int]) -> None:
    """Make the calls about these rows that are due. A channel that does not answer is tried again."""
    for row_id in ids:
        async with services.engine.begin() as connection:
            tripped = await breaker.take_call(connection, row_id)
        if tripped is not None:
            await _call(services, courier, tripped)


async def _call(services: Services, courier: Courier, tripped: Tripped) -> None:
    if not services.team_channels:
        log.error("breaker.nobody_to_call", breaker=tripped.id)
    called = set(tripped.called)
    for channel in services.team_channels:
        if channel not in called and await _is_done(courier, tripped, channel):
            called.add(channel)
    complete = called.issuperset(services.team_channels)
    async with services.engine.begin() as connection:
        await breaker.note_calls(connection, tripped.id, called, complete=complete)


async def _is_done(courier: Courier, tripped: Tripped, channel: str) -> bool:
    """Call on one channel. A refusal is final; no answer is not, since twice told is better than not told."""
    try:
        async with courier.turn(channel, PATIENCE):
            answer = await courier.send(
                channel,
                f"breaker:{tripped.id}",
                courier.sender.team_address,
                _stored(courier, tripped, channel),
            )
    except BusyError:
        return False
    if isinstance(answer, Rejected):
        log.error("breaker.call_refused", breaker=tripped.id, channel=channel, code=answer.code)
    elif isinstance(answer, Accepted):
        log.info("breaker.called", breaker=tripped.id, channel=channel)
    else:
        log.warning("breaker.call_postponed", breaker=tripped.id, channel=channel)
    return isinstance(answer, Accepted | Rejected)


def _stored(courier: Courier, tripped: Tripped, channel: str) -> dict[str, Any]:
    brand, zone = courier.sender.brand.name, courier.sender.timezone
    at = tripped.at.astimezone(zone)
    if channel == "chat":
        return {"text": alarm_chat(brand=brand, reason=tripped.reason, by=tripped.by, at=at)}
    mail = alarm_mail(brand=brand, reason=tripped.reason, by=tripped.by, at=at)
    date = tripped.at.astimezone(UTC).isoformat()
    return {"subject": mail.subject, "text": mail.text, "html": mail.html, "date": date, "thread": None}
