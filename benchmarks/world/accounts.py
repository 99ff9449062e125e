"""Subscriptions of the simulated Stripe whose renewal has just failed, and events as Stripe sends them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.generator.requests import EVENT_ID
from sandbox.stripe import NEW, BillingEngine, Card
from sandbox.stripe.objects import render_event
from sandbox.stripe.records import Event
from sandbox.stripe.versions import ApiVersion

FAILED = "invoice.payment_failed"
UPDATED = "customer.subscription.updated"
EVENT_BYTES = 4096

_MONTH = timedelta(days=31, hours=2)  # from a first charge to the end of the hour after the next one's draft


def failing_renewals(count: int) -> BillingEngine:
    """An account with `count` subscribers; the first renewal of each was declined an hour or two ago."""
    now = datetime.now(UTC).replace(microsecond=0)
    engine = BillingEngine(seed=1, now=now - _MONTH)
    price = engine.create_price(1900, "usd")
    for number in range(count):
        # A confirmation is asked for at once, by day and by night.
        card = Card(outcomes=("ok", "authentication_required"))
        customer = engine.create_customer(f"customer{number}@customer.example", card=card)
        engine.create_subscription(customer, price)
    engine.advance(None, now)
    return engine


def bodies(engine: BillingEngine, kind: str) -> list[str]:
    """Every event of one type, as its webhook's body."""
    events = [event for event in engine.ledger.all(Event) if event.type == kind]
    return [json.dumps(render_event(event, ApiVersion(NEW))) for event in events]


def event_template(body: str | None = None) -> str:
    """A failed payment of 4 KB with `EVENT_ID` where its own id belongs: the event in `body`, or any."""
    event = json.loads(body or bodies(failing_renewals(1), FAILED)[0]) | {"id": EVENT_ID}
    metadata = event["data"]["object"]["metadata"]
    metadata["note"] = ""
    metadata["note"] = "x" * (EVENT_BYTES - len(json.dumps(event)))
    return json.dumps(event)


def subscription_updates(count: int, first: int = 0) -> list[str]:
    """As many customers, each with one change of a subscription that says everything by itself.

    They are numbered from `first` on.
    """
    engine = failing_renewals(1)
    # The renewal's new period: neither a change of status nor one that Stripe has to be asked about.
    event = next(event for body in bodies(engine, UPDATED) if _is_plain(event := json.loads(body)))
    body = json.dumps(event)
    subscription, customer = event["data"]["object"]["id"], event["data"]["object"]["customer"]
    return [
        body.replace(event["id"], f"evt_bench_{number:012}")
        .replace(subscription, f"sub_bench_{number:012}")
        .replace(customer, customer_id(number))
        for number in range(first, first + count)
    ]


def _is_plain(event: dict[str, Any]) -> bool:
    data = event["data"]
    return data["object"]["status"] == "active" and "status" not in data["previous_attributes"]


def customer_id(number: int) -> str:
    """Of the customers that `subscription_updates` makes."""
    return f"cus_bench_{number:012}"
