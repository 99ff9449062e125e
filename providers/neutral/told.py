"""An event of the neutral format with its parts named: what its `data` says of one subscription. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dunning.events import AsOf, InvoiceSeen, SubscriptionSeen
from dunning.money import NO_CURRENCY
from providers.fields import Json, flag, moment, text, whole
from providers.lookup import MalformedEventError


@dataclass(frozen=True, slots=True)
class Told:
    """One event about a subscription. `customer` is empty where the event does not name them."""

    event_id: str
    as_of: AsOf
    data: Json
    subscription: str
    customer: str

    @property
    def at(self) -> datetime:
        return self.as_of.at

    def subscription_seen(self, status: str, **more: object) -> SubscriptionSeen:
        data = self.data
        return SubscriptionSeen(
            customer=self.customer,
            subscription=self.subscription,
            as_of=self.as_of,
            status=status,
            plan=text(data, "plan"),
            interval=text(data, "interval"),
            cancel_at_period_end=flag(data, "cancelAtPeriodEnd"),
            period_end=moment(data.get("currentPeriodEnd")),
            **more,  # type: ignore[arg-type]  # the two below, of their own types
        )

    def invoice_seen(self, ref: str, status: str, **more: object) -> InvoiceSeen:
        return InvoiceSeen(
            customer=self.customer,
            invoice=ref,
            as_of=self.as_of,
            status=status,
            subscription=self.subscription,
            collection_method="charge_automatically",
            number=text(self.data, "invoiceNumber"),
            currency=self.currency,
            **more,  # type: ignore[arg-type]  # as above
        )

    @property
    def amount(self) -> int:
        """In the minor unit as Stripe counts it; 0 where it is not known."""
        amount = whole(self.data, "amount") if self.currency != NO_CURRENCY.lower() else 0
        if amount < 0:
            raise MalformedEventError("amount is less than nothing")
        return amount

    @property
    def currency(self) -> str:
        given = (text(self.data, "currency") or "").lower()
        known = (
            len(given) == 3 and given.isascii() and given.isalpha() and self.data.get("amount") is not None
        )
        return given if known else NO_CURRENCY.lower()
