"""What the page has to say about a case: plain facts, read off the rules by `portal.reading`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from dunning.abilities import Ability
from dunning.declines import Category
from dunning.money import Money
from dunning.rules.paying_now import Refusal
from emails.catalogue import CardLabel


class State(StrEnum):
    """Which page it is. `closed`: there is nothing left to pay, and no money came."""

    OPEN = "open"
    PAID = "paid"
    ENDED = "ended"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Owed:
    """Another open invoice of the same customer."""

    number: str | None
    amount: Money


@dataclass(frozen=True, slots=True)
class Coming:
    """What happens at `at` if nobody pays: `retry`, `limited`, `revoked` or `expires` (a first payment)."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Facts:
    """`amount` is what is still to be paid, or what was. `card` is what would be charged next, as far as is
    known, and `declined` what was declined, if that is another one. `access` is `limited` or `revoked` since
    `access_since`, or None where it is as always. `processing`: a payment is on its way.

    `refused` is why what is on file cannot be charged now, `refused_anew` why a new method cannot.
    `promise_within` is the first and the last day that may be promised, None where none may; `promised` is
    the day that was. `naming` is the address of somebody else who is to pay, for the reader to confirm.

    `ended_at`: when the subscription ended, `for_nonpayment` whether for that reason; `replaced`: the
    customer has another one that entitles them. `may_return`: they can buy again what has ended; `on_hold`:
    it has not ended, but only the payment of its newest invoice brings it back. `left` is what an ended one
    has left unpaid, `left_is_voided` whether that is owed no more once they have come back. `can` is what
    their billing system can be asked to do.
    """

    state: State
    category: Category
    plan: str | None
    number: str | None
    amount: Money
    card: CardLabel | None
    declined: CardLabel | None
    coming: tuple[Coming, ...]
    others: tuple[Owed, ...]
    access: str | None
    access_since: datetime | None
    processing: bool
    refused: Refusal | None
    refused_anew: Refusal | None
    promise_within: tuple[date, date] | None
    promised: date | None
    naming: str | None
    first_payment: bool
    paid_at: datetime | None
    ended_at: datetime | None
    for_nonpayment: bool
    replaced: bool
    may_return: bool
    on_hold: bool
    left: Money | None
    left_is_voided: bool
    can: frozenset[Ability]

    @property
    def next_attempt_at(self) -> datetime | None:
        """When we charge again, if we really do."""
        return next((each.at for each in self.coming if each.what == "retry"), None)

    @property
    def payable(self) -> bool:
        """Whether the customer is asked to pay: not what may be a mistake of ours, and nothing twice."""
        return (
            self.state is State.OPEN and not self.processing and self.category is not Category.MERCHANT_SIDE
        )
