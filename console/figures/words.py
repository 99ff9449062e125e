"""Short names of groups, for rows of tables and bars of charts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from console.figures.definitions import DEFINITIONS
from console.figures.formats import month
from console.figures.reading import NO_CODE, OPEN, PASSED_OVER
from console.figures.tally import Dimension
from dunning.account import Outcome
from dunning.causes import Cause
from dunning.declines import Category

CATEGORIES: Final[Mapping[str, str]] = {
    Category.INSUFFICIENT_FUNDS: "Not enough money",
    Category.EXPIRED_CARD: "Card expired",
    Category.AUTHENTICATION_REQUIRED: "Bank wants a confirmation",
    Category.INCORRECT_DETAILS: "Wrong card details",
    Category.CARD_NOT_SUPPORTED: "Card not supported",
    Category.PROCESSING_ERROR: "Technical fault",
    Category.BANK_DECLINED: "Bank declined, no reason",
    Category.NO_PAYMENT_METHOD: "No payment method",
    Category.BANK_DEBIT_FAILED: "Bank debit returned",
    Category.MASKED: "Lost, stolen or blocked",
    Category.FRAUD: "Suspected fraud",
    Category.CONSENT_WITHDRAWN: "Stopped by the customer",
    Category.MERCHANT_SIDE: "Fault on our side",
    Category.UNKNOWN: "No reason given",
}

OUTCOMES: Final[Mapping[str, str]] = {
    Outcome.RECOVERED: "Paid",
    Outcome.PAID_AFTER_END: "Paid after the end",
    OPEN: "Still open",
    Outcome.ENDED: "Subscription ended",
    Outcome.WRITTEN_OFF: "Written off",
    Outcome.VOIDED: "Voided",
    Outcome.FORGIVEN: "Forgiven",
    Outcome.CREDITED: "Settled without money",
    PASSED_OVER: "Passed over by a later payment",
}

CAUSES: Final[Mapping[str, str]] = {cause: DEFINITIONS[f"cause.{cause}"].title for cause in Cause}


def title(dimension: Dimension, group: str) -> str:
    """What a group is called."""
    match dimension:
        case Dimension.MONTH:
            return month(date.fromisoformat(f"{group}-01"))
        case Dimension.CATEGORY:
            return CATEGORIES[group]
        case Dimension.OUTCOME:
            return OUTCOMES[group]
        case Dimension.CAUSE:
            return CAUSES[group]
        case Dimension.CODE:
            return "no code" if group == NO_CODE else group
