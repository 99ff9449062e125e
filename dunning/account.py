"""What is known of one customer: a local mirror built from facts alone.

Plain frozen values; the only derived things here are those that follow from a single object.
`dunning.fold` builds them, `dunning.case` opens and closes cases on them, `db.accounts` keeps them in
tables whose columns have the same names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType

from dunning.events import AsOf
from dunning.instructions import Instruction
from dunning.policy import Policy
from dunning.values import lean, quick

PAYING = frozenset({"active", "trialing"})
ENDED = frozenset({"canceled", "incomplete_expired"})
# `status_details.paused.subscription.type`, Stripe API 2026-09-30: these two pauses are dunning's end.
PAUSED_FOR_NONPAYMENT = frozenset({"first_payment_failure", "final_payment_failure"})


@lean
@dataclass(frozen=True, slots=True)
class Customer:
    """Who is mailed, in which language, and on which test clock they live (None: the wall clock).

    `first_contact_at` is set for one who was there before us: nothing is told ahead of a renewal before then.
    """

    ref: str
    as_of: AsOf | None = None
    email: str | None = None
    name: str | None = None
    locales: tuple[str, ...] = ()
    country: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    payment_method: str | None = None
    test_clock: str | None = None
    deleted: bool = False
    method_changed_at: datetime | None = None
    first_contact_at: datetime | None = None


@lean
@dataclass(frozen=True, slots=True)
class Subscription:
    """The newest observation, and three latest-ever latches.

    `last_paid_at` is when money came; `good_at` and `nonpayment_at` are when it was seen in good standing and
    when stopped for want of payment. `follows` is the ended subscription that it was bought in place of.
    """

    ref: str
    as_of: AsOf | None = None
    status: str = "unknown"
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
    last_paid_at: datetime | None = None
    good_at: datetime | None = None
    nonpayment_at: datetime | None = None

    @property
    def stopped_for_nonpayment(self) -> bool:
        """Whether the provider itself has stopped this subscription because nobody paid."""
        return self.status == "unpaid" or (
            self.status == "paused" and self.paused_for in PAUSED_FOR_NONPAYMENT
        )

    @property
    def owes_since_stop(self) -> bool:
        """Whether it was stopped for non-payment and nothing has been paid since.

        A write-off moves a Stripe subscription back to `active`; only money lifts this.
        """
        if self.nonpayment_at is None:
            return False
        return self.last_paid_at is None or self.last_paid_at < self.nonpayment_at

    @property
    def ended(self) -> bool:
        return self.status in ENDED


@lean
@dataclass(frozen=True, slots=True)
class Charge:
    """A failed charge that reached the network. `at` is when it was made."""

    ref: str
    invoice: str
    at: datetime
    code: str | None = None
    decline_code: str | None = None
    outcome_reason: str | None = None
    advice_code: str | None = None
    method_type: str | None = None
    card_brand: str | None = None
    card_last4: str | None = None
    card_country: str | None = None


@lean
@dataclass(frozen=True, slots=True)
class Method:
    """A way to pay, as it was seen last. A card is good to the end of its month of expiry."""

    ref: str
    as_of: AsOf | None = None
    type: str = "unknown"
    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None
    country: str | None = None
    detached: bool = False


@lean
@dataclass(frozen=True, slots=True)
class Invoice:
    """Amounts in minor units. `failed_at` is the earliest failure seen, `attempt_count` the highest.

    `amount_due` is the most that was ever to be paid, part payments included, and `amount_refunded` the most
    that was ever given back. `pay_url` is where it is paid, as was told at `pay_url_at`; a provider that can
    be asked for that tells none.

    `counted_at` is the earliest event of it that `counted` so many attempts, the most of all: right after the
    provider's own last one, since what is tried by hand is not counted. None: only a reading did.
    """

    ref: str
    as_of: AsOf | None = None
    status: str = "unknown"
    subscription: str | None = None
    billing_reason: str | None = None
    collection_method: str | None = None
    number: str | None = None
    currency: str = "usd"
    amount_remaining: int = 0
    amount_paid: int = 0
    amount_due: int = 0
    amount_refunded: int = 0
    next_attempt_at: datetime | None = None
    processing_since: datetime | None = None
    pay_url: str | None = None
    pay_url_at: datetime | None = None
    paid_at: datetime | None = None
    voided_at: datetime | None = None
    written_off_at: datetime | None = None
    failed_at: datetime | None = None
    last_failed_at: datetime | None = None
    attempt_count: int = 0
    ledger_attempt: int = 0
    counted: int = 0
    counted_at: datetime | None = None
    action_required: bool = False
    reason_code: str | None = None
    reason_decline_code: str | None = None
    reason_method_type: str | None = None
    no_method: bool = False

    @property
    def settled(self) -> bool:
        """Whether there is nothing left to collect. A written-off invoice can still be paid."""
        return bool(self.paid_at or self.voided_at or self.written_off_at)


@quick
class Outcome(StrEnum):
    """How a case ended. A payment gives access back, and so does a person who forgives the debt; a write-off
    or a void does not.
    """

    RECOVERED = "recovered"
    FORGIVEN = "forgiven"
    CREDITED = "credited"
    VOIDED = "voided"
    WRITTEN_OFF = "written_off"
    ENDED = "ended"
    PAID_AFTER_END = "paid_after_end"


@lean
@dataclass(frozen=True, slots=True)
class Case:
    """The dunning of one unpaid invoice. `opened_at` is its first failure, `grace` is stamped once.

    `policy` is what it was opened with and keeps, unless somebody moves it to another, which at `moved_at`
    moved its deadline; None: whatever is in force. What *we* took is its revocation receipt, so that a
    payment gives back exactly that: access was limited at `limited_at`, and from `taken_from` became
    `taken_level` at `taken_at`, when grace ran out.

    One that had begun before us was taken over at `taken_over_at`, and its customer first hears of us at
    `first_contact_at`; None: the provider had ended it by then, so they never do.
    """

    invoice: str
    subscription: str
    opened_at: datetime
    grace: timedelta
    closed_at: datetime | None = None
    outcome: Outcome | None = None
    taken_at: datetime | None = None
    taken_level: str | None = None
    taken_from: str | None = None
    limited_at: datetime | None = None
    policy: Policy | None = None
    moved_at: datetime | None = None
    taken_over_at: datetime | None = None
    first_contact_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def grace_ends_at(self) -> datetime:
        return self.opened_at + self.grace


@lean
@dataclass(frozen=True, slots=True)
class Account:
    """One customer of one source ("stripe") with everything known of them, keyed by provider id.

    `instructions` are what people have told us about them, oldest first.
    """

    source: str
    customer: Customer
    subscriptions: Mapping[str, Subscription] = field(default_factory=lambda: MappingProxyType({}))
    invoices: Mapping[str, Invoice] = field(default_factory=lambda: MappingProxyType({}))
    charges: Mapping[str, Charge] = field(default_factory=lambda: MappingProxyType({}))
    methods: Mapping[str, Method] = field(default_factory=lambda: MappingProxyType({}))
    cases: Mapping[str, Case] = field(default_factory=lambda: MappingProxyType({}))
    instructions: tuple[Instruction, ...] = ()

    def subscription(self, ref: str) -> Subscription:
        """As it is known, or one of which nothing is."""
        return self.subscriptions.get(ref) or Subscription(ref=ref)

    def charges_of(self, invoice: str) -> list[Charge]:
        """The ledger of an invoice, oldest first."""
        return sorted(
            (charge for charge in self.charges.values() if charge.invoice == invoice),
            key=lambda charge: (charge.at, charge.ref),
        )

    def open_cases(self) -> Iterator[Case]:
        """Cases that still want money, oldest first."""
        return iter(
            sorted(
                (case for case in self.cases.values() if case.is_open),
                key=lambda case: (case.opened_at, case.invoice),
            )
        )


# What a charge that fails changes of its invoice.
_COUNTED = {"last_failed_at", "attempt_count", "ledger_attempt", "counted", "counted_at", "next_attempt_at"}
_uncounted = attrgetter(*(each.name for each in fields(Invoice) if each.name not in _COUNTED))


def same_but_for_charges(one: Account, other: Account) -> bool:
    """Whether all that differs are charges that failed, and what their invoices say of how many and when."""
    return (
        one.customer == other.customer
        and one.subscriptions == other.subscriptions
        and one.cases == other.cases
        and one.instructions == other.instructions
        and one.methods == other.methods
        and one.invoices.keys() == other.invoices.keys()
        and all(_uncounted(each) == _uncounted(other.invoices[ref]) for ref, each in one.invoices.items())
    )
