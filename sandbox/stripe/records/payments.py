"""Charges, the intents they belong to, and what links an intent to an invoice."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.stripe.declines import Decline
from sandbox.stripe.records.base import Record
from sandbox.stripe.records.customers import PaymentMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentError:
    """Why the last try of a payment intent failed, with the card as it then was; `charge` if one was made."""

    decline: Decline
    charge: str | None
    payment_method: PaymentMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentIntent(Record):
    """`error` outlives the attempt it came from: it is only replaced by the next one."""

    OBJECT: ClassVar[str] = "payment_intent"

    amount: int
    currency: str
    customer: str
    invoice: str
    description: str
    status: str = "requires_payment_method"
    payment_method: str | None = None
    latest_charge: str | None = None
    error: PaymentError | None = None
    canceled_at: int | None = None
    cancellation_reason: str | None = None

    @property
    def owners(self) -> tuple[str, ...]:
        return (self.customer,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge(Record):
    """A charge that really happened: succeeded when `decline` is None.

    `clears` is what the bank is going to answer to one that is still pending, `amount_refunded` what was
    given back of one that has succeeded.
    """

    OBJECT: ClassVar[str] = "charge"

    amount: int
    currency: str
    customer: str
    invoice: str
    payment_intent: str
    payment_method: PaymentMethod
    description: str
    authenticated: bool = False
    decline: Decline | None = None
    clears: str | None = None
    amount_refunded: int = 0

    @property
    def paid(self) -> bool:
        return self.decline is None and self.clears is None

    @property
    def owners(self) -> tuple[str, ...]:
        return (self.customer, self.payment_intent)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePayment(Record):
    """The link between an invoice and the intent that pays it."""

    OBJECT: ClassVar[str] = "invoice_payment"

    invoice: str
    payment_intent: str
    amount_requested: int
    currency: str
    status: str = "open"
    amount_paid: int | None = None
    paid_at: int | None = None
    canceled_at: int | None = None

    @property
    def owners(self) -> tuple[str, ...]:
        return (self.invoice, self.payment_intent)
