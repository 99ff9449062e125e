"""Subscriptions and their invoices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from sandbox.stripe.policy import RetryPolicy
from sandbox.stripe.records.base import Record
from sandbox.stripe.records.customers import Price


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionItem:
    """One price of a subscription."""

    id: str
    price: Price
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription(Record):
    """`period` counts billing periods since `anchor`; `policy` is the retry policy it falls under."""

    OBJECT: ClassVar[str] = "subscription"

    customer: str
    test_clock: str | None
    items: tuple[SubscriptionItem, ...]
    policy: RetryPolicy
    anchor: int
    period: int
    current_period_start: int
    current_period_end: int
    status: str = "incomplete"
    latest_invoice: str | None = None
    default_payment_method: str | None = None
    save_default_payment_method: bool = False
    cancel_at_period_end: bool = False
    cancel_at: int | None = None
    canceled_at: int | None = None
    ended_at: int | None = None
    cancellation_reason: str | None = None
    cancellation_comment: str | None = None
    cancellation_feedback: str | None = None
    trial_start: int | None = None
    trial_end: int | None = None
    pause_collection: str | None = None
    collection_method: str = "charge_automatically"
    billing_mode: str = "flexible"
    paused_for: str | None = None
    paused_at: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def owners(self) -> tuple[str, ...]:
        return (self.customer,)

    @property
    def currency(self) -> str:
        return self.items[0].price.currency

    @property
    def ended(self) -> bool:
        return self.status in ("canceled", "incomplete_expired")


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """One item billed for the period from `start` to `end`."""

    id: str
    item: SubscriptionItem
    amount: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(Record):
    """`refused` is the payment method whose last answer was a hard decline: it is not charged again."""

    OBJECT: ClassVar[str] = "invoice"

    customer: str
    subscription: str
    test_clock: str | None
    currency: str
    lines: tuple[InvoiceLine, ...]
    billing_reason: str
    period_start: int
    period_end: int
    customer_email: str | None
    customer_name: str | None
    subscription_metadata: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    status: str = "draft"
    collection_method: str = "charge_automatically"
    auto_advance: bool = True
    attempt_count: int = 0
    attempted: bool = False
    next_payment_attempt: int | None = None
    automatically_finalizes_at: int | None = None
    number: str | None = None
    payment_intent: str | None = None
    charge: str | None = None
    hosted_url: str | None = None
    hosted_until: int = 0
    amount_paid: int = 0
    paid_out_of_band: bool = False
    finalized_at: int | None = None
    paid_at: int | None = None
    voided_at: int | None = None
    marked_uncollectible_at: int | None = None
    uncollectible_reason: str | None = None
    refused: str | None = None

    @property
    def owners(self) -> tuple[str, ...]:
        return (self.subscription, self.customer)

    @property
    def total(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def payable(self) -> bool:
        return self.status in ("open", "uncollectible")
