"""Mails that somebody asks for on the page."""

from __future__ import annotations

from datetime import datetime

from db.outbox import NewEffect
from dunning.steps import Kind


def on_request(customer_id: int, case: str, step: str, name: str, reason: str, at: datetime) -> NewEffect:
    """The row of such a mail; `at` is the account's time."""
    return NewEffect(
        customer_id=customer_id,
        case=case,
        step=step,
        kind=Kind.MAIL,
        name=name,
        channel="mail",
        reason=reason,
        created_at=at,
    )
