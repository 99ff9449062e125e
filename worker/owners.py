"""Whose subscription it is, where an event names the subscription alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncEngine

from db.lookups import owner_of
from dunning.events import BillingEvent, CustomerFact, SubscriptionOwned, SubscriptionSeen
from providers.lookup import Normalised, ProviderUnavailableError


class OwnerUnknownError(ProviderUnavailableError):
    """Nobody has told yet whose subscription it is. What is said of it waits, and is never dropped."""


async def owned(
    engine: AsyncEngine, source: str, said: Normalised, answers: Sequence[BillingEvent]
) -> list[CustomerFact]:
    """The facts of an event that names no customer, as theirs whose subscription it is.

    They are named by the `answers` of just now, or by what was told before. Raises OwnerUnknownError.
    """
    if not said.unowned or said.of is None:
        return []
    customer = _named(said.of, answers)
    if customer is None:
        async with engine.connect() as connection:
            customer = await owner_of(connection, source, said.of)
    if customer is None:
        raise OwnerUnknownError("nobody has told whose subscription it is")
    return [replace(fact, customer=customer) for fact in said.unowned]


def _named(subscription: str, answers: Sequence[BillingEvent]) -> str | None:
    return next(
        (
            fact.customer
            for fact in answers
            if isinstance(fact, (SubscriptionSeen, SubscriptionOwned)) and fact.subscription == subscription
        ),
        None,
    )
