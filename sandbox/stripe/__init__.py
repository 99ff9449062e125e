"""A simulated Stripe on loopback: a billing engine with test clocks, its HTTP API, and signed webhooks."""

from sandbox.stripe.cards import Card, card_from_number
from sandbox.stripe.engine import BillingEngine
from sandbox.stripe.policy import RetryPolicy, custom_schedule, smart_retries
from sandbox.stripe.versions import NEW, OLD

__all__ = [
    "NEW",
    "OLD",
    "BillingEngine",
    "Card",
    "RetryPolicy",
    "card_from_number",
    "custom_schedule",
    "smart_retries",
]
