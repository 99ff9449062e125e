"""What a story consists of: a person, a card, what they do and when, and how it must end."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from sandbox.demo.days import EVENING, MORNING
from sandbox.stripe import Card, RetryPolicy, custom_schedule

GOOD_CARD = "4242424242424242"
# Three retries, after three, five and seven more days: Stripe's longest schedule of one's own.
RETRIES = custom_schedule(3, 5, 7)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something the customer does on a day, in the evening if nothing else is said."""

    words: ClassVar[str]
    time: ClassVar[timedelta] = EVENING

    day: int


@dataclass(frozen=True, slots=True)
class PaysByLink(Deed):
    """Follows the link in the newest mail and pays there with this card."""

    words: ClassVar[str] = "follows the link in the mail and pays with another card"

    card: str = GOOD_CARD


@dataclass(frozen=True, slots=True)
class ConfirmsByLink(Deed):
    """Follows the link in the newest mail and confirms the payment with the bank."""

    words: ClassVar[str] = "follows the link in the mail and confirms with the bank"


@dataclass(frozen=True, slots=True)
class SavesNewCard(Deed):
    """Enters another card in Stripe's portal and leaves the charging to Stripe."""

    words: ClassVar[str] = "saves another card"

    card: str = GOOD_CARD


@dataclass(frozen=True, slots=True)
class CancelsAtPeriodEnd(Deed):
    """Cancels as of the end of the paid period."""

    words: ClassVar[str] = "cancels at the end of the period"


@dataclass(frozen=True, slots=True)
class Subscribes(Deed):
    """Subscribes for the first time, in the morning."""

    words: ClassVar[str] = "subscribes, and the first payment fails"
    time: ClassVar[timedelta] = MORNING


@dataclass(frozen=True, slots=True)
class Promises(Deed):
    """Names a day to pay on; somebody of the team writes it down with our own command."""

    words: ClassVar[str] = "promises to pay"

    until: int


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is paid each month: `amount` in the currency's minor unit."""

    amount: int = 2900
    currency: str = "usd"
    plan: str = "Team plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One customer, and what everybody outside must see of them; days count from the failed renewals.

    Attributes:
        source: the billing system they are a customer of.
        outcomes: what the card's issuer answers to the renewal's charge, to its first retry, and so on.
        country: where the card was issued, and so in whose waking hours mails arrive.
        newcomer: whether they subscribe for the first time on the stage; `outcomes` begin with that charge.
        mails: what the customer is sent and when, such as `payment failed d0 d3, receipt d8`.
        team: why the team is called and when, such as `third failed charge d8`.
        access: its levels one after another, such as `full, warned d0, full d3`.
        says: words at least one mail to the customer contains.
        never_says: words that no mail to the customer contains.
    """

    title: str
    name: str
    email: str
    source: str = "stripe"
    outcomes: tuple[str, ...] = ("ok",)
    expiry: tuple[int, int] = (12, 2034)
    country: str = "GB"
    newcomer: bool = False
    purchase: Purchase = field(default_factory=Purchase)
    locales: tuple[str, ...] = ()
    retries: RetryPolicy = RETRIES
    renewal_day: int = 0
    deeds: tuple[Deed, ...] = ()
    mails: str = ""
    team: str = ""
    access: str = "full"
    says: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()

    @property
    def card(self) -> Card:
        """Its first charge, in December, went through."""
        first = () if self.newcomer else ("ok",)
        return Card(exp=self.expiry, outcomes=(*first, *self.outcomes), country=self.country)
