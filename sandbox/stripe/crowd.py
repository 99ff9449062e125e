"""A business that has been running for months: many subscriptions, some of them in every kind of trouble.

Customers arrive a few each day, so that on any day some renewals have failed just now and others weeks ago.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from sandbox.stripe.cards import Card, bank_debit
from sandbox.stripe.engine import BillingEngine
from sandbox.stripe.policy import RetryPolicy, custom_schedule
from sandbox.stripe.records import Customer, Invoice, PaymentMethod, Price, Subscription

# Nothing is forgotten that a monthly customer could owe after two renewals.
RUNS_FOR = timedelta(days=75)
DECLINES = (
    "insufficient_funds",
    "expired_card",
    "do_not_honor",
    "generic_decline",
    "stolen_card",
    "fraudulent",
    "authentication_required",
    "requires_action",
    "processing_error",
    "incorrect_cvc",
    "transaction_not_allowed",
    "revocation_of_all_authorizations",
    "card_velocity_exceeded",
    "duplicate_transaction",
)
RETRIES = custom_schedule(3, 5, 7, at_end="past_due")
UNPAID = custom_schedule(1, 1, 1, at_end="unpaid")
CANCEL = custom_schedule(1, 1, 1, at_end="cancel")
PAUSE = custom_schedule(1, 1, 1, at_end="pause")


@dataclass(frozen=True, slots=True)
class Prices:
    """What is sold."""

    monthly: Price
    yen: Price
    annual: Price
    large: Price


def running_business(
    engine: BillingEngine, count: int, *, until: datetime, trouble: float = 0.1, seed: int = 7
) -> list[Subscription]:
    """So many subscriptions, a share of them in `trouble`, with the account's time at `until`.

    `engine` must stand before `until`; whoever watches its events sees the months pass.
    """
    random = Random(seed)  # noqa: S311  # who fails, not a secret
    prices = Prices(
        engine.create_price(1900),
        engine.create_price(1900, "jpy"),
        engine.create_price(19_000, interval="year"),
        engine.create_price(90_000, "eur"),
    )
    begun = until - RUNS_FOR
    engine.advance(None, max(begun, engine.now()))
    bought: list[Subscription] = []
    for number in range(count):
        engine.advance(None, begun + RUNS_FOR * (number / count))
        who = f"customer{number}@crowd.example"
        if random.random() < trouble:
            bought += TROUBLES[number % len(TROUBLES)](engine, prices, who, random)
        else:
            bought.append(_paying(engine, prices, who, random))
    engine.advance(None, until)
    return bought


def _paying(engine: BillingEngine, prices: Prices, who: str, random: Random) -> Subscription:
    expires = (10, 2026) if random.random() < 0.03 else (12, 2034)
    customer = engine.create_customer(who, who.partition("@")[0], card=Card(exp=expires))
    price = random.choices((prices.monthly, prices.annual, prices.yen), (8, 1, 1))[0]
    return engine.create_subscription(customer, price, trial_days=90 if random.random() < 0.05 else 0)


def _declined(policy: RetryPolicy) -> "Trouble":
    """Its renewals fail, again and again, with what the card says each time."""

    def happen(engine: BillingEngine, prices: Prices, who: str, random: Random) -> Sequence[Subscription]:
        reasons = random.choices(DECLINES, k=random.choice((1, 1, 2)))
        country = random.choice(("US", "DE", "JP", "BR"))
        customer = engine.create_customer(
            who, card=Card(outcomes=["ok", *reasons], country=country), country=country
        )
        price = random.choice((prices.monthly, prices.monthly, prices.yen, prices.large))
        return [engine.create_subscription(customer, price, policy=policy)]

    return happen


def _cancelled(engine: BillingEngine, prices: Prices, who: str, random: Random) -> Sequence[Subscription]:
    """On request, at once or at the end of the period."""
    bought = engine.create_subscription(engine.create_customer(who, card=Card()), prices.monthly)
    return [engine.cancel(bought, at_period_end=random.random() < 0.5)]


def _incomplete(engine: BillingEngine, prices: Prices, who: str, _: Random) -> Sequence[Subscription]:
    customer = engine.create_customer(who, card=Card(outcomes=["do_not_honor"]))
    return [engine.create_subscription(customer, prices.monthly)]


def _twice(engine: BillingEngine, prices: Prices, who: str, _: Random) -> Sequence[Subscription]:
    """One of two subscriptions fails: its own card has nothing on it."""
    customer = engine.create_customer(who, card=Card())
    empty = engine.save_card(customer, Card(outcomes=["ok", "insufficient_funds"]))
    failing = engine.create_subscription(customer, prices.monthly, policy=RETRIES, payment_method=empty)
    engine.save_card(customer, Card())
    return [failing, engine.create_subscription(customer, prices.monthly)]


def _without_card(engine: BillingEngine, prices: Prices, who: str, _: Random) -> Sequence[Subscription]:
    customer = engine.create_customer(who, card=Card())
    bought = engine.create_subscription(customer, prices.monthly, policy=RETRIES)
    saved = engine.get(PaymentMethod, engine.refresh(customer).default_payment_method or "")
    engine.detach_card(saved)
    return [bought]


def _debited(engine: BillingEngine, prices: Prices, who: str, _: Random) -> Sequence[Subscription]:
    account = bank_debit("processing:5:ok", "processing:5:insufficient_funds")
    return [engine.create_subscription(engine.create_customer(who, card=account), prices.monthly)]


def _paused(engine: BillingEngine, prices: Prices, who: str, _: Random) -> Sequence[Subscription]:
    bought = engine.create_subscription(engine.create_customer(who, card=Card()), prices.monthly)
    return [engine.pause(bought)]


def _deleted(engine: BillingEngine, prices: Prices, who: str, _: Random) -> Sequence[Subscription]:
    customer: Customer = engine.create_customer(who, card=Card())
    bought = engine.create_subscription(customer, prices.monthly)
    engine.delete_customer(customer)
    return [engine.refresh(bought)]


def _by_invoice(engine: BillingEngine, prices: Prices, who: str, _: Random) -> Sequence[Subscription]:
    """An invoice sent for payment by hand, and not paid: nothing of it is a failed charge."""
    customer = engine.create_customer(who, card=Card(outcomes=["do_not_honor"]))
    bought = engine.create_subscription(customer, prices.monthly)
    with engine.ledger.lock:
        sent = engine.ledger.put(replace(bought, status="past_due", collection_method="send_invoice"))
        invoice = engine.ledger.get(Invoice, bought.latest_invoice or "")
        engine.ledger.put(replace(invoice, collection_method="send_invoice", attempted=True))
    return [sent]


Trouble = Callable[[BillingEngine, Prices, str, Random], Sequence[Subscription]]

TROUBLES: tuple[Trouble, ...] = (
    *(_declined(RETRIES) for _ in range(12)),
    _declined(UNPAID),
    _declined(CANCEL),
    _declined(PAUSE),
    _cancelled,
    _incomplete,
    _twice,
    _without_card,
    _debited,
    _paused,
    _deleted,
    _by_invoice,
)
