"""The inside of one event of Commet, and the facts that most of them state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dunning.events import AsOf, CustomerSeen, InvoiceSeen, SubscriptionSeen
from dunning.money import NO_CURRENCY
from providers.fields import LARGEST, Json, part, required, text, whole
from providers.lookup import MalformedEventError

STATUSES: Final = {"draft": "incomplete", "pending_payment": "incomplete"}
# A failure without an attempt's number: whoever counts, counts the charges.
UNNUMBERED: Final = 1_000
# For a payment that may have needed no charge.
SOMETHING: Final = 1
EXHAUSTED: Final = "dunning_exhausted"
# What fails here leaves no renewal unpaid: nothing was granted yet, or what runs goes on.
NOT_DUNNED: Final = frozenset(
    {
        "addon_activation", "first_subscription_payment", "one_time_payment", "plan_change", "prepayment",
        "reactivation", "subscription_resume",
    }
)  # fmt: skip


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


def attempt_of(context: Json) -> int:
    """Which attempt a charge was, by its payment context: the original one is the first, and retries count
    from 1 by themselves. UNNUMBERED without a context.
    """
    if not context:
        return UNNUMBERED
    recovery = part(context, "recovery")
    retry = whole(recovery, "attempt") if text(recovery, "type") == "dunning_retry" else 0
    if not 0 <= retry < UNNUMBERED - 1:
        raise MalformedEventError("attempt is no position in a schedule")
    return retry + 1


def customer_facts(
    customer: str, as_of: AsOf, *, email: str | None, name: str | None, zone: str | None
) -> CustomerSeen:
    """Who a customer is, as of a moment. Their time zone goes where a policy looks for it."""
    metadata = (("timezone", zone),) if zone else ()
    return CustomerSeen(customer, as_of, email=email, name=name, metadata=metadata)
