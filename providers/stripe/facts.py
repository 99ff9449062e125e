"""Stripe's events as facts: normalise(event) -> Normalised. Pure; whatever has to be asked is a Lookup."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from dunning.events import AsOf, BillingEvent, ClockMoved, PaymentFailed, PaymentMethodChanged
from providers.fields import Json, moment, moment_of, part, ref, required, text
from providers.lookup import Lookup, Normalised, Subject
from providers.stripe.methods import method_detached, method_seen
from providers.stripe.objects import (
    customer_ref,
    customer_seen,
    invoice_seen,
    subscription_of,
    subscription_seen,
)
from providers.stripe.webhook import AUTHORIZED, DEAUTHORIZED, THIN, THIN_PREFIX

# Worth asking Stripe again before anything is done about them.
STOPPED = frozenset({"unpaid", "canceled", "paused"})

# And what changes what is done, wherever it is in `previous_attributes`.
CHANGES_OF_COURSE = frozenset({"status", "cancel_at_period_end", "cancel_at"})
WORTH_READING = frozenset({"email", "name", "preferred_locales", "address", "metadata", "invoice_settings"})

Handler = Callable[[Json, Json, AsOf], Normalised]


def normalise(event: Json) -> Normalised:
    """What a Stripe event says. An unhandled type says nothing. Raises MalformedEventError."""
    created = moment_of(event, "created")
    required(event, "type")
    kind = text(event, "type") or ""
    if event.get("object") == THIN:
        return _thin(event, kind, created)
    if kind not in HANDLERS:
        return Normalised(closed=kind == DEAUTHORIZED, opened=kind == AUTHORIZED)
    data = part(event, "data")
    required(data, "object")
    return told(kind, part(data, "object"), part(data, "previous_attributes"), AsOf(created))


def told(kind: str, thing: Json, before: Json, as_of: AsOf) -> Normalised:
    """What an event of a kind that is handled says, with its object as it was then."""
    said = HANDLERS[kind](thing, before, as_of)
    clock = ref(thing.get("test_clock"))
    if clock:
        # A test clock only moves forward, so an event made at its time proves that it got there.
        return Normalised((*said.facts, ClockMoved(clock, as_of.at)), said.lookups)
    return said


def _thin(event: Json, kind: str, created: datetime) -> Normalised:
    """A thin event names its object only, so that all it says has to be read (`providers.stripe.thin`).

    It has milliseconds, which its snapshot leaves out: both are to tell of one moment.
    """
    own = ref(required(event, "id"))
    if own is None or not kind.startswith(THIN_PREFIX):
        return Normalised()
    return Normalised(lookups=(Lookup(Subject.EVENT, own, created.replace(microsecond=0), event),))


def _invoice(invoice: Json, _before: Json, as_of: AsOf) -> Normalised:
    if subscription_of(invoice) is None:
        return Normalised()
    return Normalised((invoice_seen(invoice, as_of),))


def _updated(invoice: Json, before: Json, as_of: AsOf) -> Normalised:
    """It overtakes `invoice.payment_failed`, and counts attempts that may never have been charges."""
    said = _invoice(invoice, before, as_of)
    if said.facts and invoice.get("status") == "open" and invoice.get("attempt_count"):
        return Normalised(said.facts, (Lookup(Subject.INVOICE, required(invoice, "id"), as_of.at),))
    return said


def _failure(invoice: Json, as_of: AsOf, *, action_required: bool) -> Normalised:
    said = _invoice(invoice, {}, as_of)
    if not said.facts:
        return said
    seen = invoice_seen(invoice, as_of)
    failure = PaymentFailed(
        customer=seen.customer,
        invoice=seen.invoice,
        at=as_of.at,
        attempt=seen.attempt_count,
        action_required=action_required,
    )
    # No invoice field carries the decline reason: it is read from the invoice's payments.
    return Normalised((*said.facts, failure), (Lookup(Subject.INVOICE, failure.invoice, as_of.at),))


def _payment_failed(invoice: Json, _before: Json, as_of: AsOf) -> Normalised:
    return _failure(invoice, as_of, action_required=False)


def _action_required(invoice: Json, _before: Json, as_of: AsOf) -> Normalised:
    return _failure(invoice, as_of, action_required=True)


def _subscription(subscription: Json, before: Json, as_of: AsOf) -> Normalised:
    seen = subscription_seen(subscription, as_of)
    lookups: list[Lookup] = []
    if not CHANGES_OF_COURSE.isdisjoint(before) or seen.status in STOPPED:
        # `created` has whole seconds and events overtake each other; only Stripe knows the state now.
        lookups.append(Lookup(Subject.SUBSCRIPTION, seen.subscription, as_of.at))
    latest = ref(subscription.get("latest_invoice"))
    if before.get("status") in ("past_due", "unpaid", "paused") and latest:
        # Active again: by a payment, or because somebody wrote the invoice off?
        lookups.append(Lookup(Subject.INVOICE, latest, as_of.at))
    return Normalised((seen,), tuple(lookups))


def _customer(customer: Json, before: Json, as_of: AsOf) -> Normalised:
    """Read back where something changed that we keep.

    `created` has whole seconds, and a test clock stands still: what was read a moment ago must not hide it.
    """
    seen = customer_seen(customer, as_of)
    changed = not WORTH_READING.isdisjoint(before)
    lookups = (Lookup(Subject.CUSTOMER, seen.customer, as_of.at),) if changed else ()
    if "default_payment_method" in part(before, "invoice_settings") and seen.payment_method:
        # A card that was attached long ago is a new way to pay once it becomes the default.
        return Normalised((seen, PaymentMethodChanged(seen.customer, as_of.at)), lookups)
    return Normalised((seen,), lookups)


def _customer_deleted(customer: Json, _before: Json, as_of: AsOf) -> Normalised:
    return Normalised((customer_seen({**customer, "deleted": True}, as_of),))


def _new_method(method: Json, _before: Json, as_of: AsOf) -> Normalised:
    seen = method_seen(method, as_of)
    return Normalised((seen, PaymentMethodChanged(seen.customer, as_of.at))) if seen else Normalised()


def _detached(method: Json, before: Json, as_of: AsOf) -> Normalised:
    """Not a new way to pay, but one less."""
    gone = method_detached(method, before, as_of)
    return Normalised((gone,)) if gone else Normalised()


def _set_up(intent: Json, _before: Json, as_of: AsOf) -> Normalised:
    """It names the method only, whose own `payment_method.attached` tells the rest."""
    if ref(intent.get("customer")) is None and ref(intent.get("customer_account")) is None:
        return Normalised()
    return Normalised((PaymentMethodChanged(customer_ref(intent), as_of.at),))


def _charge(thing: Json, _before: Json, as_of: AsOf) -> Normalised:
    """Of a charge or a payment: since basil neither names its invoice, where the rest is read."""
    invoice = ref(thing.get("invoice"))
    if invoice:
        return Normalised(lookups=(Lookup(Subject.INVOICE, invoice, as_of.at),))
    payment = ref(thing) if thing.get("object") == "payment_intent" else ref(thing.get("payment_intent"))
    if payment is None:
        return Normalised()
    return Normalised(lookups=(Lookup(Subject.PAYMENT, payment, as_of.at),))


def _clock(clock: Json, _before: Json, _as_of: AsOf) -> Normalised:
    """Only a clock at rest tells the time: while it advances its events still have to arrive."""
    reached, name = moment(clock.get("frozen_time")), ref(clock)
    if clock.get("status") != "ready" or reached is None or name is None:
        return Normalised()
    moved: BillingEvent = ClockMoved(name, reached)
    return Normalised((moved,))


HANDLERS: dict[str, Handler] = {
    "invoice.payment_failed": _payment_failed,
    "invoice.payment_action_required": _action_required,
    "invoice.paid": _invoice,
    "invoice.payment_succeeded": _invoice,
    "invoice.updated": _updated,
    "invoice.voided": _invoice,
    "invoice.marked_uncollectible": _invoice,
    "customer.subscription.created": _subscription,
    "customer.subscription.updated": _subscription,
    "customer.subscription.deleted": _subscription,
    "customer.subscription.paused": _subscription,
    "customer.subscription.resumed": _subscription,
    "customer.updated": _customer,
    "customer.deleted": _customer_deleted,
    "payment_method.attached": _new_method,
    "payment_method.updated": _new_method,
    "payment_method.automatically_updated": _new_method,
    "payment_method.detached": _detached,
    "setup_intent.succeeded": _set_up,
    "charge.failed": _charge,
    "charge.refunded": _charge,
    "payment_intent.payment_failed": _charge,
    "test_helpers.test_clock.advancing": _clock,
    "test_helpers.test_clock.ready": _clock,
}
