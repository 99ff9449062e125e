"""What past due means at a billing system that takes access itself: it has stopped, as Stripe's `unpaid`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dunning.events import BillingEvent, SubscriptionSeen


def stopped(facts: Iterable[BillingEvent]) -> list[BillingEvent]:
    """The facts, with every subscription that is past due as one that gives no access until it is paid."""
    return [
        replace(fact, status="unpaid")
        if isinstance(fact, SubscriptionSeen) and fact.status == "past_due"
        else fact
        for fact in facts
    ]
