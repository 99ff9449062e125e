"""Asking the simulated Stripe through a gateway, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import TypeVar

from dunning.events import BillingEvent
from providers.lookup import Lookup, Subject
from providers.stripe.api import StripeGateway
from sandbox.stripe import SimulatedStripe

T = TypeVar("T")
AT = datetime(2026, 2, 1, tzinfo=UTC)


def ask(
    url: str | SimulatedStripe, question: Callable[[StripeGateway], Awaitable[T]], timeout: float = 8
) -> T:
    """Ask through a gateway of its own."""
    base, key = (url, "sk_test_sandbox") if isinstance(url, str) else (url.url, url.api_key)

    async def run() -> T:
        return await question(StripeGateway(key, api_base=base, timeout=timeout))

    return asyncio.run(run())


def look_up(
    stripe: SimulatedStripe, subject: Subject, ref: str, at: datetime = AT
) -> tuple[BillingEvent, ...]:
    return ask(stripe, lambda gateway: gateway.look_up(Lookup(subject, ref, at))).facts


def of(facts: Iterable[BillingEvent], kind: type[T]) -> list[T]:
    return [fact for fact in facts if isinstance(fact, kind)]
