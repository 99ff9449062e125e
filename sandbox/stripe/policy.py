"""How Stripe retries a failed renewal and what it does when the schedule is exhausted."""

from dataclasses import dataclass
from typing import Literal

DAY = 86_400

SubscriptionEnd = Literal["cancel", "unpaid", "past_due", "pause"]
InvoiceEnd = Literal["leave_open", "mark_uncollectible"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """The account's (or a segment's) retry settings.

    `delays`: seconds from each failed attempt to the next retry; the first attempt is not a retry.
    `automations`: the retry is planned by an automation, so `next_payment_attempt` is null in
    `invoice.payment_failed` and arrives in a following `invoice.updated`.
    `resume_when_paid`: a paused subscription starts again by itself once its invoice is paid or written off.
    """

    delays: tuple[int, ...]
    at_end: SubscriptionEnd = "cancel"
    invoice_at_end: InvoiceEnd = "leave_open"
    pause_on_first_failure: bool = False
    resume_when_paid: bool = True
    automations: bool = False


def custom_schedule(
    *days: float, at_end: SubscriptionEnd = "cancel", automations: bool = False
) -> RetryPolicy:
    """Stripe's custom schedule: up to three retries, each so many days after the previous attempt."""
    if not 1 <= len(days) <= 3:
        raise ValueError("a custom schedule has one to three retries")
    return RetryPolicy(delays=tuple(int(day * DAY) for day in days), at_end=at_end, automations=automations)


def smart_retries(at_end: SubscriptionEnd = "cancel", automations: bool = False) -> RetryPolicy:
    """Eight retries within two weeks, Stripe's recommended default, at fixed instead of learned distances."""
    days = (1, 1, 1, 2, 2, 2, 2, 3)
    return RetryPolicy(delays=tuple(day * DAY for day in days), at_end=at_end, automations=automations)
