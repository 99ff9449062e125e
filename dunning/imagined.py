"""A failure that has not happened: an account made up of one subscription whose charges are declined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from dunning.account import Account, Charge, Customer, Invoice, Subscription
from dunning.case import classify_charge
from dunning.declines import Category
from dunning.instructions import THE_CUSTOMER, Instruction, Verb
from dunning.zones import METADATA_KEYS

CUSTOMER, SUBSCRIPTION, INVOICE = "cus_imagined", "sub_imagined", "in_imagined"
DAY = timedelta(days=1)
# From the first failure to the promise that answers it.
ANSWERED_AFTER = timedelta(hours=1)

# The code by which a category is most often met.
TYPICAL: Final[Mapping[Category, str]] = {
    Category.INSUFFICIENT_FUNDS: "insufficient_funds",
    Category.EXPIRED_CARD: "expired_card",
    Category.AUTHENTICATION_REQUIRED: "authentication_required",
    Category.INCORRECT_DETAILS: "incorrect_cvc",
    Category.CARD_NOT_SUPPORTED: "card_not_supported",
    Category.PROCESSING_ERROR: "processing_error",
    Category.BANK_DECLINED: "do_not_honor",
    Category.NO_PAYMENT_METHOD: "no_payment_method",
    Category.BANK_DEBIT_FAILED: "bank_account_closed",
    Category.MASKED: "stolen_card",
    Category.FRAUD: "fraudulent",
    Category.CONSENT_WITHDRAWN: "stop_payment_order",
    Category.MERCHANT_SIDE: "duplicate_transaction",
    Category.UNKNOWN: "card_declined",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """What is imagined. Days count from `on`, the first failure; amounts are in the minor unit.

    `codes` are what the charges are declined with, one after the other, the last for all that follow. `days`
    are when the provider charges; after a decline that it never repeats it does not. `promise` is the day the
    customer promises to pay on, an hour after the first failure.
    """

    codes: tuple[str, ...]
    on: datetime
    days: tuple[float, ...] = (0, 3, 5, 7)
    plan: str | None = None
    amount: int = 4900
    currency: str = "usd"
    interval: str = "month"
    country: str | None = None
    time_zone: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    first_payment: bool = False
    after_trial: bool = False
    paid_on: float | None = None
    promise: float | None = None

    def at(self, day: float) -> datetime:
        return self.on + day * DAY


def imagine(failure: Failure) -> Account:
    """The account as it will be known in the end."""
    charges = _charges(failure)
    paid_at = failure.at(failure.paid_on) if failure.paid_on is not None else None
    metadata = dict(failure.metadata)
    if failure.time_zone:
        metadata[METADATA_KEYS[0]] = failure.time_zone
    invoice = Invoice(
        ref=INVOICE,
        subscription=SUBSCRIPTION,
        billing_reason="subscription_create" if failure.first_payment else "subscription_cycle",
        collection_method="charge_automatically",
        currency=failure.currency,
        amount_remaining=0 if paid_at else failure.amount,
        amount_paid=failure.amount if paid_at else 0,
        paid_at=paid_at,
        failed_at=charges[0].at,
        last_failed_at=charges[-1].at,
        attempt_count=len(charges),
        ledger_attempt=len(charges),
    )
    subscription = Subscription(
        ref=SUBSCRIPTION,
        plan=failure.plan,
        interval=failure.interval,
        amount=failure.amount,
        currency=failure.currency,
        trial_end=failure.on if failure.after_trial else None,
        last_paid_at=paid_at,
        good_at=paid_at,
    )
    return Account(
        source="stripe",
        customer=Customer(CUSTOMER, country=failure.country, metadata=tuple(sorted(metadata.items()))),
        subscriptions=MappingProxyType({SUBSCRIPTION: subscription}),
        invoices=MappingProxyType({INVOICE: invoice}),
        charges=MappingProxyType({charge.ref: charge for charge in charges}),
        instructions=_promise(failure),
    )


def _charges(failure: Failure) -> list[Charge]:
    charges: list[Charge] = []
    for number, day in enumerate(failure.days):
        if charges and not classify_charge(charges[-1]).retried_by_stripe:
            break
        if charges and failure.paid_on is not None and day >= failure.paid_on:
            break
        code = failure.codes[min(number, len(failure.codes) - 1)]
        card = {"card_brand": "visa", "card_last4": "0341"}
        charges.append(
            Charge(f"ch_{number + 1}", INVOICE, failure.at(day), "card_declined", decline_code=code, **card)
        )
    return charges


def _promise(failure: Failure) -> tuple[Instruction, ...]:
    if failure.promise is None:
        return ()
    at, until = failure.on + ANSWERED_AFTER, failure.at(failure.promise)
    return (Instruction(Verb.PROMISE, at, THE_CUSTOMER, "imagined", INVOICE, until),)
