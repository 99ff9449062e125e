"""The inside of one event of Commet, and the facts that most of them state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dunning.events import AsOf, InvoiceSeen, SubscriptionSeen
from dunning.money import NO_CURRENCY
from providers.fields import LARGEST, Json, required, text, whole
from providers.lookup import MalformedEventError

STATUSES: Final = {"draft": "incomplete", "pending_payment": "incomplete"}


@dataclass(frozen=True, slots=True)
class Told:
    """The inside of one event."""

    event_id: str
    as_of: AsOf
    data: Json

    @property
    def at(self) -> datetime:
        return self.as_of.at

    def ref(self, name: str) -> str:
        """An id that this event cannot do without."""
        required(self.data, name)
        found = text(self.data, name)
        if found is None or len(found) > 255 or not found.isprintable():
            raise MalformedEventError(f"{name} is no id")
        return found

    @property
    def customer(self) -> str:
        return self.ref("customerId")

    @property
    def invoice(self) -> str:
        return self.ref("invoiceId")

    def subscription_seen(self, status: str, **more: object) -> SubscriptionSeen:
        return SubscriptionSeen(
            self.customer,
            self.ref("subscriptionId"),
            self.as_of,
            STATUSES.get(status, status),
            **more,  # type: ignore[arg-type]  # a few fields, of their own types
        )

    def invoice_seen(self, as_of: AsOf, status: str, **more: object) -> InvoiceSeen:
        values = {"currency": NO_CURRENCY.lower(), "collection_method": "charge_automatically"} | more
        return InvoiceSeen(
            customer=self.customer,
            invoice=self.invoice,
            as_of=as_of,
            status=status,
            subscription=text(self.data, "subscriptionId"),
            number=text(self.data, "invoiceNumber"),
            **values,  # type: ignore[arg-type]  # as above
        )

    def cents(self, name: str) -> int:
        """A `number` of JSON, which may be written 1900.0; 0 for null."""
        found = self.data.get(name)
        if isinstance(found, float) and found.is_integer() and abs(found) < LARGEST:
            return int(found)
        return whole(self.data, name)
