"""A visit to Checkout."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from sandbox.stripe.records.base import Record
from sandbox.stripe.records.customers import PaymentMethod, Price


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """What is bought."""

    id: str
    price: Price
    quantity: int

    @property
    def amount(self) -> int:
        return self.price.unit_amount * self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutSession(Record):
    """`open` until it is completed, once, or expires. `asked` is the card whose bank waits for an answer."""

    OBJECT: ClassVar[str] = "checkout.session"

    customer: str
    test_clock: str | None
    mode: Literal["subscription", "setup"]
    line_items: tuple[LineItem, ...]
    success_url: str
    cancel_url: str | None
    url: str
    expires_at: int
    client_reference_id: str | None = None
    locale: str | None = None
    currency: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    subscription_metadata: Mapping[str, str] = field(default_factory=dict)
    trial_end: int | None = None
    status: Literal["open", "complete", "expired"] = "open"
    asked: PaymentMethod | None = None
    setup: str | None = None
    subscription: str | None = None
    invoice: str | None = None

    @property
    def owners(self) -> tuple[str, ...]:
        return (self.customer, self.subscription) if self.subscription else (self.customer,)

    @property
    def total(self) -> int:
        return sum(item.amount for item in self.line_items)

    @property
    def charges(self) -> bool:
        """Whether money is taken when it is completed, and not later or never."""
        return self.mode == "subscription" and self.trial_end is None

    @property
    def payment_status(self) -> str:
        if not self.charges:
            return "no_payment_required"
        return "paid" if self.status == "complete" else "unpaid"

    @property
    def back(self) -> str:
        """Where the customer goes once it is completed."""
        return self.success_url.replace("{CHECKOUT_SESSION_ID}", self.id)
