"""How often a card may be charged: the networks' ceilings over real attempts of all sources.

Stripe advises eight retries for a charge that permits any; Visa allows 15 to 20 in 30 days and Mastercard
fines more than 35. Eight in 14 days and fifteen in 30 stay below all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dunning.account import Account, Charge, Method

CEILINGS = ((timedelta(days=14), 8), (timedelta(days=30), 15))
# From any other attempt at the same card.
APART = timedelta(hours=24)

# Brand and last digits.
Label = tuple[str | None, str | None]
UNKNOWN: Label = (None, None)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """`made` of `most` attempts were made in the last `within`."""

    within: timedelta
    made: int
    most: int

    @property
    def reached(self) -> bool:
        return self.made >= self.most


def attempts_on_card(account: Account, charge: Charge | None) -> list[datetime]:
    """When the card (or account) of `charge` was charged in vain, for whatever invoice, oldest first.

    Without any charge, all of the customer's count.
    """
    return _attempts_on(account, (charge.card_brand, charge.card_last4) if charge else UNKNOWN)


def attempts_on_method(account: Account, method: Method | None) -> list[datetime]:
    """The same of a way to pay that may never have been charged; if it is not known, all of them count."""
    return _attempts_on(account, (method.brand, method.last4) if method else UNKNOWN)


def _attempts_on(account: Account, label: Label) -> list[datetime]:
    """Without its last digits a card cannot be told from another: then all of the customer's count."""
    return sorted(
        other.at
        for other in account.charges.values()
        if None in (label[1], other.card_last4) or (other.card_brand, other.card_last4) == label
    )


def ceilings(attempts: Sequence[datetime], now: datetime) -> list[Ceiling]:
    """How far each ceiling is used up."""
    return [
        Ceiling(within, sum(now - within < at <= now for at in attempts), most) for within, most in CEILINGS
    ]


def next_allowed(attempts: Sequence[datetime], wanted: datetime, *, apart: timedelta = APART) -> datetime:
    """`wanted`, or the first moment after it at which one more attempt breaks no ceiling.

    `apart` is the least time from the attempt before.
    """
    at = max([wanted, *(attempt + apart for attempt in attempts)])
    for within, most in CEILINGS:
        recent = sorted(attempt for attempt in attempts if attempt > at - within)
        if len(recent) >= most:
            at = max(at, recent[len(recent) - most] + within)
    return at
