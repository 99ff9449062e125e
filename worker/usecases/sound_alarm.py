"""Tell the merchant's team what is no customer's case, at least once on every channel: see `db.alarms`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog

from db import alarms
from db.alarms import Alarm
from emails.alarm import (
    Notice,
    at_odds,
    endpoint_off,
    given_up,
    on_hold,
    source_closed,
    taken_over,
)
from emails.delivery import Accepted, Rejected
from worker.courier import BusyError, Courier
from worker.notices import stored
from worker.services import Services

log = structlog.get_logger()

# Seconds to wait for the mail server to be done with others.
PATIENCE = 20.0


async def sound_alarm(services: Services, courier: Courier, ids: Sequence[int]) -> None:
    """Make the calls about these rows that are due. A channel that does not answer is tried again."""
    for row_id in ids:
        async with services.engine.begin() as connection:
            alarm = await alarms.take(connection, row_id)
        if alarm is not None:
            await _call(services, courier, alarm)


async def _call(services: Services, courier: Courier, alarm: Alarm) -> None:
    if not services.team_channels:
        log.error("alarm.nobody_to_call", alarm=alarm.id, kind=alarm.kind)
    called = set(alarm.called)
    for channel in services.team_channels:
        if channel not in called and await _is_done(courier, alarm, channel):
            called.add(channel)
    complete = called.issuperset(services.team_channels)
    async with services.engine.begin() as connection:
        await alarms.note(connection, alarm.id, called, complete=complete)


async def _is_done(courier: Courier, alarm: Alarm, channel: str) -> bool:
    """Call on one channel. A refusal is final; no answer is not, since twice told is better than not told."""
    at = alarm.raised_at.astimezone(courier.sender.timezone)
    notice = _notice(alarm, courier.sender.brand.name, at)
    try:
        async with courier.turn(channel, PATIENCE):
            answer = await courier.send(
                channel,
                f"{alarm.kind}:{alarm.id}",
                courier.sender.team_address,
                stored(notice, channel, alarm.raised_at),
            )
    except BusyError:
        return False
    if isinstance(answer, Rejected):
        log.error("alarm.refused", alarm=alarm.id, kind=alarm.kind, channel=channel, code=answer.code)
    elif isinstance(answer, Accepted):
        log.info("alarm.told", alarm=alarm.id, kind=alarm.kind, channel=channel)
    else:
        log.warning("alarm.postponed", alarm=alarm.id, kind=alarm.kind, channel=channel)
    return isinstance(answer, Accepted | Rejected)


def _notice(alarm: Alarm, brand: str, at: datetime) -> Notice:
    match alarm.kind:
        case "breaker":
            return on_hold(brand=brand, at=at, **alarm.facts)
        case "dead":
            return given_up(brand=brand, at=at, **alarm.facts)
        case "endpoint":
            return endpoint_off(brand=brand, number=alarm.subject, at=at, **alarm.facts)
        case "import":
            return taken_over(brand=brand, at=at, **alarm.facts)
        case "differences":
            return at_odds(brand=brand, at=at, **alarm.facts)
        case "closed":
            return source_closed(brand=brand, at=at, **alarm.facts)
