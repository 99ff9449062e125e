"""Who buys, what they buy, and with which card."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sandbox.stripe.cards import Card
from sandbox.stripe.declines import Decline
from sandbox.stripe.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(Record):
    """What is sold."""

    OBJECT: ClassVar[str] = "product"

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Price(Record):
    """A recurring price per unit."""

    OBJECT: ClassVar[str] = "price"

    product: str
    product_name: str
    currency: str
    unit_amount: int
    interval: str
    interval_count: int
    nickname: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer(Record):
    """`test_clock` is None for a customer who lives in the account's own time."""

    OBJECT: ClassVar[str] = "customer"

    email: str | None
    name: str | None
    test_clock: str | None
    currency: str | None = None
    phone: str | None = None
    description: str | None = None
    country: str | None = None
    delinquent: bool = False
    default_payment_method: str | None = None
    preferred_locales: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    invoice_prefix: str = ""
    next_invoice_sequence: int = 1
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethod(Record):
    """A saved card; `customer` is None before it is attached and after it is detached."""

    OBJECT: ClassVar[str] = "payment_method"

    card: Card
    customer: str | None = None
    billing_name: str | None = None
    billing_email: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def owners(self) -> tuple[str, ...]:
        return (self.customer,) if self.customer else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupIntent(Record):
    """How a card came to be saved without a charge, or why it was not; `tried` is the card last entered."""

    OBJECT: ClassVar[str] = "setup_intent"

    customer: str
    tried: PaymentMethod
    status: str = "succeeded"
    decline: Decline | None = None

    @property
    def payment_method(self) -> str | None:
        """A refused card is taken off again."""
        return None if self.status == "requires_payment_method" else self.tried.id

    @property
    def owners(self) -> tuple[str, ...]:
        return (self.customer,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalSession(Record):
    """A short-lived way into the customer portal.

    `used_at` is the customer's last visit, `setup` the intent of the card they entered last.
    """

    OBJECT: ClassVar[str] = "billing_portal.session"

    customer: str
    url: str
    return_url: str | None = None
    locale: str | None = None
    flow: Mapping[str, Any] | None = None
    configuration: str | None = None
    used_at: int | None = None
    setup: str | None = None
