"""Facts: what a billing system told us, in words that belong to no provider.

A provider module turns one delivery into any number of these. They are *observations*, never
commands, and every field a fold needs is in them, so that a fact can be folded today, twice, or in
another order with the same result. References are the provider's own ids ("cus_...", "in_...");
times are aware UTC; amounts are integers in the provider's minor unit (see `dunning.money`). A failure whose
provider knows no invoice calls its debt by `dunning.streaks.unnamed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AsOf:
    """When an object looked like this, by the provider's clock, and when it was read back, by ours.

    Provider clocks tick in whole seconds and a test clock stands still, so many looks share one `at` (Stripe:
    the order of events is not guaranteed). An object *read back* because of an event is at least as new as
    that event and outranks every event of the same moment; of two read back, the later reading is newer.
    """

    at: datetime
    read_at: datetime | None = None

    @property
    def rank(self) -> tuple[datetime, bool, datetime]:
        """Greater is newer."""
        return (self.at, self.read_at is not None, self.read_at or self.at)


@dataclass(frozen=True, slots=True)
class CustomerSeen:
    """The whole customer, as of a moment. `locales` is in order of preference (BCP 47), `metadata` sorted.

    `payment_method` is the customer's default, which a subscription may override.
    """

    customer: str
    as_of: AsOf
    email: str | None = None
    name: str | None = None
    locales: tuple[str, ...] = ()
    country: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    payment_method: str | None = None
    test_clock: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class SubscriptionSeen:
    """The whole subscription, as of a moment.

    `status` is Stripe's set, kept open: incomplete, incomplete_expired, trialing, active, past_due,
    unpaid, canceled, paused. `paused_for` says why it is paused (Stripe API 2026-09-30
    `status_details.paused.subscription.type`), `ended_for` why it ended (`cancellation_details.reason`).
    `plan` is the price's own name if it has one, `product` the id under which the provider keeps a name.
    `amount` is what a period costs, quantities included and taxes and discounts not, in the minor unit of
    `currency`; None where a price has no fixed amount.
    `follows` is the ended subscription in whose place it was bought on our page.
    """

    customer: str
    subscription: str
    as_of: AsOf
    status: str
    plan: str | None = None
    product: str | None = None
    interval: str | None = None
    cancel_at_period_end: bool = False
    period_end: datetime | None = None
    trial_end: datetime | None = None
    ended_at: datetime | None = None
    paused_for: str | None = None
    ended_for: str | None = None
    payment_method: str | None = None
    amount: int | None = None
    currency: str | None = None
    follows: str | None = None


@dataclass(frozen=True, slots=True)
class InvoiceSeen:
    """The whole invoice, as of a moment.

    `next_attempt_at` of None is *not* "the last attempt": with Stripe's automations it arrives later
    in `invoice.updated`. `paid_at`, `voided_at` and `written_off_at` are latches: once seen, for ever.
    `processing_since` is when a payment was begun that has neither come nor failed yet, such as a bank
    debit; only a reading of the invoice's payments tells, so an event leaves it None. `amount_refunded` is
    what of its payments has been given back, and read the same way.
    """

    customer: str
    invoice: str
    as_of: AsOf
    status: str
    subscription: str | None = None
    billing_reason: str | None = None
    collection_method: str | None = None
    number: str | None = None
    currency: str = "usd"
    amount_remaining: int = 0
    amount_paid: int = 0
    attempt_count: int = 0
    next_attempt_at: datetime | None = None
    paid_at: datetime | None = None
    voided_at: datetime | None = None
    written_off_at: datetime | None = None
    processing_since: datetime | None = None
    amount_refunded: int = 0


@dataclass(frozen=True, slots=True)
class PaymentFailed:
    """A charge for an invoice failed, or waits for the customer's confirmation at the bank.

    `attempt` is a position in the provider's retry schedule, which is not a number of charges:
    Stripe goes on counting retries that it does not execute.
    """

    customer: str
    invoice: str
    at: datetime
    attempt: int
    action_required: bool = False


@dataclass(frozen=True, slots=True)
class PayPageSeen:
    """Where the customer can pay the invoice, by the provider's own word; the last that was told counts."""

    customer: str
    invoice: str
    at: datetime
    url: str


@dataclass(frozen=True, slots=True)
class ChargeFailed:
    """One charge that really reached the network and was declined: a line of the attempt ledger."""

    customer: str
    invoice: str
    charge: str
    at: datetime
    code: str | None = None
    decline_code: str | None = None
    outcome_reason: str | None = None
    advice_code: str | None = None
    method_type: str | None = None
    card_brand: str | None = None
    card_last4: str | None = None
    card_country: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerRead:
    """The provider was asked for all charges of the invoice, when it had counted `attempt` attempts.

    Carries the reason of the latest failure where there is no charge to carry it: a payment that
    waits for the bank's confirmation, or that had no payment method to try (`no_method`).
    """

    customer: str
    invoice: str
    attempt: int
    code: str | None = None
    decline_code: str | None = None
    method_type: str | None = None
    no_method: bool = False


@dataclass(frozen=True, slots=True)
class MethodSeen:
    """One way to pay, as of a moment. A card is good to the end of `exp_month` (1 to 12) of `exp_year`.

    `country` is the card's, ISO 3166 with two letters. Stripe: `payment_method.automatically_updated` changes
    number and expiry of a method that keeps its id.
    """

    customer: str
    method: str
    as_of: AsOf
    type: str
    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None
    country: str | None = None
    detached: bool = False


@dataclass(frozen=True, slots=True)
class PaymentMethodChanged:
    """The customer gave, or the card network supplied, a new way to pay."""

    customer: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SubscriptionOwned:
    """Whose subscription it is, and nothing else of it: later events may name the subscription alone."""

    customer: str
    subscription: str


@dataclass(frozen=True, slots=True)
class ClockMoved:
    """A provider's test clock has reached `to`: customers on it live by that time."""

    clock: str
    to: datetime


CustomerFact = (
    CustomerSeen
    | SubscriptionSeen
    | InvoiceSeen
    | PaymentFailed
    | PayPageSeen
    | ChargeFailed
    | LedgerRead
    | MethodSeen
    | PaymentMethodChanged
    | SubscriptionOwned
)
BillingEvent = CustomerFact | ClockMoved
