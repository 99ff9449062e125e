"""What a recovered payment came after: one cause for each, by a fixed order, and never more than is known.

Only a charge that was answered with the payment itself is a cause that is proven. Everything else is an order
in time: a person did something, a card was given, a mail was accepted, *and then* it was paid. It might have
been paid anyway, so words for it say "after". Whoever comes first in `Cause` is named; what follows is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dunning.steps import ASKED
from dunning.values import lean, quick


@quick
class Cause(StrEnum):
    """In order of precedence."""

    # Somebody of the team had extended, paused, taken over, noted a promise, made a link or mailed again.
    PERSON = "person"
    # Charged because the customer asked for it on our page, or bought again from there.
    PAGE = "page"
    # A way to pay was given, or renewed by the card network, between the failure and the payment.
    NEW_METHOD = "new_method"
    # A charge of our own schedule.
    OWN_RETRY = "own_retry"
    # A charge of the provider's schedule.
    PROVIDER_RETRY = "provider_retry"
    # Paid by hand, elsewhere, after a mail of ours had been accepted.
    MAIL = "mail"
    # Paid by hand before any mail, or nobody knows how.
    UNKNOWN = "unknown"


# The third part of the key of a charge of ours, as `dunning.rules.new_method` makes it.
OF_A_NEW_METHOD = "method"

# An event is made some seconds after the charge that it tells of.
A_MOMENT = timedelta(minutes=10)
# A card answers at once. A bank debit that is presented today may come days later: SEPA within 14 days.
A_DEBIT_TAKES = timedelta(days=14)


@lean
@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a payment. Moments are the first since the case was opened; None: there was none.

    `acted_at`: a person of the team did something. `returned_at`: the customer left our page to buy again.
    `method_at`: a new way to pay. `mailed_at`: a mail of the case was accepted. `charged` is the key of our
    own charge that was answered with this payment. `counted_at` is when the provider counted its own last
    attempt (`dunning.account.Invoice`), `last_failed_at` when a charge failed last; `debit`: of an account.
    """

    paid_at: datetime
    acted_at: datetime | None = None
    returned_at: datetime | None = None
    method_at: datetime | None = None
    mailed_at: datetime | None = None
    charged: str | None = None
    counted_at: datetime | None = None
    last_failed_at: datetime | None = None
    debit: bool = False


def cause_of(e: Evidence) -> Cause:
    """The first cause, in the order of `Cause`, that the evidence bears out."""
    of_charge = e.charged.split(":")[2] if e.charged else None
    if _before(e.acted_at, e):
        return Cause.PERSON
    if of_charge == ASKED or _before(e.returned_at, e):
        return Cause.PAGE
    if of_charge == OF_A_NEW_METHOD or _before(e.method_at, e):
        return Cause.NEW_METHOD
    if of_charge:
        return Cause.OWN_RETRY
    if _provider_charged(e):
        return Cause.PROVIDER_RETRY
    # Where the provider has never been heard counting, it may have been its own charge.
    if e.counted_at and _before(e.mailed_at, e):
        return Cause.MAIL
    return Cause.UNKNOWN


def _before(moment: datetime | None, e: Evidence) -> bool:
    return moment is not None and moment <= e.paid_at


def _provider_charged(e: Evidence) -> bool:
    """Whether the last attempt that the provider counted is the one that paid.

    Stripe: payments made by hand are not counted, but retries that it does not execute are; so the count must
    be newer than the last failure *and* as old as the payment.
    """
    if e.counted_at is None:
        return False
    takes = A_DEBIT_TAKES if e.debit else A_MOMENT
    failed_since = e.last_failed_at is not None and e.last_failed_at + A_MOMENT >= e.counted_at
    return not failed_since and e.counted_at >= e.paid_at - takes
