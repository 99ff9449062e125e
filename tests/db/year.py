"""A year of failed renewals of a merchant with customers in three currencies, the same each time."""

from __future__ import annotations

from random import Random
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import journal
from dunning.events import CustomerFact
from tests.db.conftest import Database
from tests.db.told import Told, Written, failed_on, stored
from tests.dunning.builders import day, invoice, paid, subscription, voided

# The builders' day 0 is the first of March; the year ends in November of the same one.
DAYS = (-55, 255)
TODAY = 262
CODES = (
    ("insufficient_funds",) * 9
    + ("do_not_honor",) * 4
    + ("expired_card",) * 4
    + ("stolen_card", "incorrect_cvc")
)
PRICES = (("usd", 1900), ("usd", 4900), ("usd", 9900), ("eur", 2900), ("eur", 7900), ("jpy", 2500))
NEW_CARD: dict[str, Any] = {"reason": "payment_method.attached", "case": None}


def a_year(database: Database, customers: int = 150) -> None:
    """Store it, as if it had been heard and done when it happened."""
    random = Random(7)  # noqa: S311  # variety, not a secret
    stored(database, *(_customer(random) for _ in range(customers)))

    async def from_the_first_day(connection: AsyncConnection) -> None:
        await connection.execute(update(journal).values(recorded_at=day(DAYS[0])))

    database.commit(from_the_first_day)


def _customer(random: Random) -> Told:
    currency, amount = random.choice(PRICES)
    failed = round(random.uniform(*DAYS), 2)
    facts: list[CustomerFact] = failed_on(failed, amount=amount, currency=currency, code=random.choice(CODES))
    written: list[Written] = [
        (failed, "case.opened", {}),
        (failed + 0.01, "mail.sent", {"step": "payment_failed:in_1:1"}),
    ]
    waited = random.choice((0.2, 0.6, 1.3, 3, 3, 3, 4.4, 8, 8, 11.7, 15, 24, *[None] * 5))
    if waited is None or failed + waited > TODAY:
        facts += _unpaid(random, failed, amount, currency)
    else:
        facts += _paid(random, failed + waited, amount, currency, written)
    return Told(facts, journal=written)


def _unpaid(random: Random, failed: float, amount: int, currency: str) -> list[CustomerFact]:
    """Ended by the provider after two weeks, voided, cancelled, or open."""
    end, way = failed + 14, random.random()
    if end > TODAY or way < 0.1:
        return []
    if way < 0.2:
        return [voided(end)]
    why = "cancellation_requested" if way < 0.4 else "payment_failed"
    return [subscription(end, "canceled", ended_at=day(end), ended_for=why)]


def _paid(
    random: Random, at: float, amount: int, currency: str, written: list[Written]
) -> list[CustomerFact]:
    """By the provider's retry on its days, else by what the customer or the team did."""
    money = {"currency": currency, "amount": amount}
    given_back = random.choice((0,) * 14 + (amount, amount // 2))
    facts: list[CustomerFact] = [invoice(at + 2, amount_refunded=given_back, currency=currency)]
    way = random.random()
    if way < 0.4:
        return [paid(at, attempt_count=2, **money), *facts]
    if way < 0.55:
        written.append((at - 0.01, "event.applied", NEW_CARD))
    elif way < 0.75:
        written.append((at, "retry.sent", {"reason": "paid", "step": "retry:in_1:asked:3f9c"}))
    elif way < 0.83:
        written.append((at - 0.1, "instruction.extend", {"by": "Ada"}))
    return [paid(at, attempt_count=1, **money), *facts]
