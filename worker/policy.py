"""The policy that the settings describe, apart from `worker.build`: a look at a case loads no Stripe."""

from __future__ import annotations

from datetime import timedelta

from dunning.policy import Policy
from settings import ToolSettings, WorkerSettings


def policy(settings: WorkerSettings | ToolSettings) -> Policy:
    return Policy(
        grace=timedelta(days=settings.grace_days),
        final_warnings=tuple(timedelta(hours=hours) for hours in settings.final_warning_hours),
        escalate_after=settings.escalate_after,
        at_expiry=settings.at_expiry,
        mail_gap=timedelta(hours=settings.mail_gap_hours),
    )
