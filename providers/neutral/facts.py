"""The neutral format as facts: any billing system can send it. `providers/neutral/schema.json` has it. Pure.

Each event is about one subscription, and its `data` says what its sender knows of it at that moment: the
newest event replaces what older ones said. All but `subscriptionId` may be missing. Without `customerId`
somebody else has to tell whose subscription it is (`customer.updated`, or whoever is asked); without
`invoiceId` the failures in a row are one debt (`dunning.streaks`); without an amount mails do not name one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from dunning.events import (
    AsOf,
    BillingEvent,
    ChargeFailed,
    CustomerFact,
    CustomerSeen,
    PaymentFailed,
    PaymentMethodChanged,
    PayPageSeen,
    SubscriptionOwned,
)
from dunning.streaks import unnamed
from providers.fields import Json, flag, moment, moment_of, pairs, part, required, text, texts, whole
from providers.links import pay_link
from providers.lookup import Lookup, MalformedEventError, Normalised, Subject
from providers.neutral.told import Told

# Something came in, and nobody has said how much: the least there is, of no currency.
SOMETHING: Final = 1
MOST_ATTEMPTS: Final = 100_000
VOLUNTARY: Final = "voluntary"


def normalise(event: Json) -> Normalised:
    """What a neutral event says. An unhandled type says nothing. Raises MalformedEventError."""
    return _normalise(event, None)


def completed(event: Json, answer: Json, read_at: datetime) -> Normalised:
    """The same with what somebody was asked about its subscription; the event's own words go before theirs.

    `read_at` is when they answered. Raises MalformedEventError.
    """
    own = {name: value for name, value in part(event, "data").items() if value is not None}
    return _normalise({**event, "data": {**answer, **own}}, read_at)


def _normalise(event: Json, read_at: datetime | None) -> Normalised:
    kind, at = text(event, "type") or "", moment_of(event, "createdAt")
    data = part(event, "data")
    if kind == "customer.updated":
        return Normalised(tuple(_customer_updated(data, AsOf(at, read_at))))
    handler = HANDLERS.get(kind)
    if handler is None:
        return Normalised()
    told = Told(
        event_id=_ref(event, "id"),
        as_of=AsOf(at, read_at),
        data=data,
        subscription=_ref(data, "subscriptionId"),
        customer=_given(data, "customerId") or "",
    )
    facts = (*handler(told), *_person(told))
    lookup = Lookup(Subject.SUBSCRIPTION, told.subscription, at, event)
    lookups = (lookup,) if read_at is None and _leaves_unsaid(kind, told) else ()
    if told.customer:
        return Normalised(facts, lookups)
    return Normalised((), lookups, unowned=facts, of=told.subscription)


def _leaves_unsaid(kind: str, told: Told) -> bool:
    """Whether whoever knows the subscription is worth asking: they answer for mails, and for whose it is."""
    if not told.customer:
        return True
    return kind == "subscription.payment_failed" and not part(told.data, "customer")


def _payment_failed(told: Told) -> list[CustomerFact]:
    attempt = whole(told.data, "attempt")
    if not 1 <= attempt <= MOST_ATTEMPTS:
        raise MalformedEventError("attempt does not count from 1")
    debt = _given(told.data, "invoiceId") or unnamed(told.subscription, told.at, attempt)
    card = part(told.data, "card")
    facts: list[CustomerFact] = [
        told.subscription_seen("past_due"),
        told.invoice_seen(
            debt,
            "open",
            amount_remaining=told.amount,
            attempt_count=attempt,
            next_attempt_at=moment(told.data.get("nextAttemptAt")),
        ),
        PaymentFailed(told.customer, debt, told.at, attempt),
        # Without a reading of the ledger beside it the attempt's number is believed as it is.
        ChargeFailed(
            told.customer,
            debt,
            told.event_id,
            told.at,
            decline_code=text(told.data, "error"),
            card_brand=text(card, "brand"),
            card_last4=text(card, "last4"),
        ),
    ]
    url = pay_link(text(told.data, "payUrl"))
    return [*facts, PayPageSeen(told.customer, debt, told.at, url)] if url else facts


def _past_due(told: Told) -> list[CustomerFact]:
    """It comes beside the first failure, which tells all that a case needs."""
    return [told.subscription_seen("past_due")]


def _payment_succeeded(told: Told) -> list[CustomerFact]:
    """Money that names no invoice ends whatever failed before it."""
    own = _given(told.data, "invoiceId") or f"{told.subscription}@{told.at:%Y%m%dT%H%M%S.%fZ}#paid"
    paid = told.invoice_seen(own, "paid", paid_at=told.at, amount_paid=told.amount or SOMETHING)
    return [paid, told.subscription_seen("active")]


def _canceled(told: Told) -> list[CustomerFact]:
    """The end of the row of failures, unless it says that the customer wished it."""
    reason = (text(told.data, "reason") or "").lower()
    ended_for = "cancellation_requested" if reason == VOLUNTARY else "payment_failed"
    return [told.subscription_seen("canceled", ended_at=told.at, ended_for=ended_for)]


def _person(told: Told) -> list[CustomerFact]:
    customer = part(told.data, "customer")
    return [_customer_seen(told.customer, customer, told.as_of)] if customer else []


def _customer_updated(data: Json, as_of: AsOf) -> list[BillingEvent]:
    ref = _ref(data, "customerId")
    facts: list[BillingEvent] = [_customer_seen(ref, {**data, **part(data, "customer")}, as_of)]
    facts += [SubscriptionOwned(ref, _ref({"id": each}, "id")) for each in texts(data, "subscriptionIds")]
    if flag(data, "paymentMethodChanged"):
        facts.append(PaymentMethodChanged(ref, as_of.at))
    return facts


def _customer_seen(ref: str, customer: Json, as_of: AsOf) -> CustomerSeen:
    locale = text(customer, "locale")
    return CustomerSeen(
        customer=ref,
        as_of=as_of,
        email=text(customer, "email"),
        name=text(customer, "name"),
        locales=(locale,) if locale else (),
        country=text(customer, "country"),
        metadata=pairs(customer, "metadata"),
        deleted=flag(customer, "deleted"),
    )


def _ref(thing: Json, key: str) -> str:
    """An id that names something for ever: it stands in keys and in addresses."""
    required(thing, key)
    found = _given(thing, key)
    if found is None:
        raise MalformedEventError(f"{key} is no id")
    return found


def _given(thing: Json, key: str) -> str | None:
    """The same, where it may be missing."""
    found = text(thing, key)
    if found is not None and (len(found) > 255 or not found.isprintable()):
        raise MalformedEventError(f"{key} is no id")
    return found


HANDLERS: Final[Mapping[str, Callable[[Told], list[CustomerFact]]]] = {
    "subscription.payment_failed": _payment_failed,
    "subscription.past_due": _past_due,
    "subscription.payment_succeeded": _payment_succeeded,
    "subscription.canceled": _canceled,
}
