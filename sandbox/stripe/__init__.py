"""A simulated Stripe on loopback: a billing engine with test clocks, its HTTP API, and signed webhooks."""

from sandbox.stripe.api.faults import Fault
from sandbox.stripe.cards import Card, bank_debit, card_from_number
from sandbox.stripe.endpoints import DeliveryPolicy
from sandbox.stripe.engine import BillingEngine
from sandbox.stripe.policy import RetryPolicy, custom_schedule, smart_retries
from sandbox.stripe.server import SimulatedStripe, simulated_stripe
from sandbox.stripe.versions import NEW, OLD

__all__ = [
    "NEW",
    "OLD",
    "BillingEngine",
    "Card",
    "DeliveryPolicy",
    "Fault",
    "RetryPolicy",
    "SimulatedStripe",
    "bank_debit",
    "card_from_number",
    "custom_schedule",
    "simulated_stripe",
    "smart_retries",
]
