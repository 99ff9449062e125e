"""What every use case is handed: the database, the provider, the policy, the clock, a way to wake others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from dunning.breaker import Limits
from dunning.segments import PolicySource
from providers.lookup import Gateway, Informant
from providers.mail.services import Reader, readers
from worker.queues import Wakeup

Nudge = Callable[[Wakeup, Sequence[int]], Awaitable[None]]


class Clock(Protocol):
    """Wall time. Business rules get it as an argument; only use cases ask for it."""

    def __call__(self) -> datetime: ...


def wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Services:
    """`gateways` by source; `team_channels` are the ways the merchant's team can be reached.

    `nudge` wakes an actor for some row ids and may fail silently: the scheduler finds every row again.
    `limits` cap the revocations; None: nothing does. `pages`: customers have pages of ours. `decides` is
    False in a process that leaves whatever becomes due to a worker, which can reach the team.
    `mail_services` read what they say of mails, by source. `informants` complete the events of sources that
    have no gateway; sources that are `stopped_at_past_due` take access themselves. `on_test_clocks` are those
    whose customers live on a test clock of ours.
    """

    engine: AsyncEngine
    gateways: Mapping[str, Gateway]
    policy: PolicySource
    nudge: Nudge
    team_channels: tuple[str, ...] = ()
    limits: Limits | None = None
    pages: bool = False
    decides: bool = True
    clock: Clock = wall_clock
    stopped_at_past_due: frozenset[str] = frozenset()
    on_test_clocks: frozenset[str] = frozenset()
    mail_services: Mapping[str, Reader] = field(default_factory=readers)
    informants: Mapping[str, Informant] = field(default_factory=dict)
