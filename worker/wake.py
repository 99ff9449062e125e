"""After the commit: send somebody to carry out what was written. Losing a wake-up costs seconds only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from worker.queues import BILLING, CASES, MAIL, TEAM, WEBHOOKS
from worker.services import Services
from worker.usecases.enact import Enacted


async def wake(services: Services, enacted: Mapping[int, Enacted], ticking: Sequence[int] = ()) -> None:
    """Nudge for what was enacted, by customer row id, and for customers whose clock has moved (`ticking`)."""
    await services.nudge(MAIL, [row for result in enacted.values() for row in result.mail])
    await services.nudge(TEAM, [row for result in enacted.values() for row in result.team])
    await services.nudge(BILLING, [row for result in enacted.values() for row in result.billing])
    await services.nudge(WEBHOOKS, sorted({row for result in enacted.values() for row in result.endpoints}))
    unverified = [customer_id for customer_id, result in enacted.items() if result.unverified]
    await services.nudge(CASES, sorted({*unverified, *ticking}))
