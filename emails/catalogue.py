"""Every mail this program can write, as a typed set of facts; the words are in `templates/`.

Money is in Stripe's minor unit, every datetime is aware, every URL is http or https. Customer and plan names
may be raw: they are cleaned when the mail is rendered.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from dunning.declines import Category
from dunning.money import Money

Consequence = Literal["limited", "revoked"]
EndReason = Literal["grace_expired", "subscription_canceled", "subscription_unpaid", "subscription_paused"]


@dataclass(frozen=True, slots=True)
class CardLabel:
    """What a customer recognises a card or bank account by: Stripe's brand (`visa`) and the last digits."""

    brand: str
    last4: str


@dataclass(frozen=True, slots=True)
class OtherInvoice:
    """One more invoice that a mail speaks of, with the reason why this one is open."""

    number: str | None
    amount: Money
    category: Category


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailed:
    """A payment is open: what happened, what to do, what happens next.

    `attempt` counts the charges that really happened (0 when none did). `charged_again` says that one
    happened since the last mail: only then does the mail say "we tried again". `next_attempt_at` is given
    only when that attempt will really be made. `other_open` is how many further invoices `amount` includes,
    and `others` are those. `ends_in` is what access becomes at `access_until`.
    """

    template: ClassVar = "payment_failed"

    customer_name: str | None
    plan: str | None
    amount: Money
    category: Category
    card: CardLabel | None
    attempt: int
    charged_again: bool
    next_attempt_at: datetime | None
    access_until: datetime | None
    pay_url: str | None
    invoice_number: str | None
    other_open: int
    others: tuple[OtherInvoice, ...] = ()
    ends_in: Consequence = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalWarning:
    """Access ends at `access_until` unless the payment arrives; usually written 72 and 24 hours before.

    `hours_left` is the rung of the ladder, not the time that is left: from 24 on it is called a reminder.
    """

    template: ClassVar = "final_warning"

    customer_name: str | None
    plan: str | None
    amount: Money
    category: Category
    card: CardLabel | None
    access_until: datetime
    hours_left: int
    consequence: Consequence
    pay_url: str | None
    invoice_number: str | None
    other_open: int
    others: tuple[OtherInvoice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEnded:
    """Access was limited or revoked at `ended_at`: why, that the data is kept, and the way back.

    `amount` is what is still open, or None when nothing needs to be paid. `return_url` leads to the page
    where the customer pays, or subscribes again after a cancellation.
    """

    template: ClassVar = "access_ended"

    customer_name: str | None
    plan: str | None
    amount: Money | None
    reason: EndReason
    consequence: Consequence
    ended_at: datetime
    return_url: str | None
    invoice_number: str | None
    other_open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRecovered:
    """The receipt that closes the matter. `access_restored`: something had been taken and is given back."""

    template: ClassVar = "payment_recovered"

    customer_name: str | None
    plan: str | None
    amount: Money
    paid_at: datetime
    access_restored: bool
    invoice_number: str | None
    card: CardLabel | None = None
    receipt_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPaymentOpen:
    """Somebody has just subscribed and the first payment is not complete; there is no access to speak of yet.

    Sent up to three times in a day. `expires_at` is when the provider drops the subscription.
    """

    template: ClassVar = "first_payment"

    customer_name: str | None
    plan: str | None
    amount: Money
    category: Category
    card: CardLabel | None
    expires_at: datetime | None
    pay_url: str | None
    invoice_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardExpiring:
    """The card on file is no longer valid when the next charge is due at `renews_at`; nothing has failed.

    `expires` is the last (year, month) it is valid in. `amount` is None when it is not known yet.
    """

    template: ClassVar = "card_expiring"

    customer_name: str | None
    plan: str | None
    amount: Money | None
    card: CardLabel | None
    expires: tuple[int, int]
    renews_at: datetime
    update_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalNotice:
    """A long period, such as a year, is about to renew: when, for how much, and how to change or cancel.

    `amount` is None when it is not known yet. `manage_url` leads to where the customer does that alone.
    """

    template: ClassVar = "renewal_notice"

    customer_name: str | None
    plan: str | None
    amount: Money | None
    renews_at: datetime
    card: CardLabel | None
    manage_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshLink:
    """A new link to the customer's page, which somebody asked for there: it goes to the address on file."""

    template: ClassVar = "fresh_link"

    customer_name: str | None
    pay_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerConfirmation:
    """Somebody named `address` on the page as the one who pays; the address on file is asked whether that
    is so.
    """

    template: ClassVar = "payer_confirmation"

    customer_name: str | None
    address: str
    pay_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerLink:
    """The page, to whoever was named and confirmed as the one who pays. Nothing is known of them."""

    template: ClassVar = "payer_link"

    pay_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamEscalation:
    """A case a person should look at; to the merchant's own team, in English, with the true reason.

    `reasons` say why now ("third failed charge"), `sent` and `upcoming` are (when, what), `links` are
    (label, url).
    """

    template: ClassVar = "team_escalation"

    reasons: tuple[str, ...]
    customer_ref: str
    customer_name: str | None
    customer_email: str | None
    plan: str | None
    amount: Money
    category: Category
    decline_code: str | None
    failing_since: datetime
    access_until: datetime | None
    sent: tuple[tuple[datetime, str], ...]
    upcoming: tuple[tuple[datetime, str], ...]
    links: tuple[tuple[str, str], ...]


Mail = (
    PaymentFailed
    | FinalWarning
    | AccessEnded
    | PaymentRecovered
    | FirstPaymentOpen
    | CardExpiring
    | RenewalNotice
    | FreshLink
    | PayerConfirmation
    | PayerLink
    | TeamEscalation
)
