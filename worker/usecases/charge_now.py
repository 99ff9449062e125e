"""Charge an invoice because the customer asks for it, and tell them at once what came of it.

The charge is an effect like any other: written down before it is made, with the click as its key. Whoever is
cut off half way leaves a row that a worker finishes, and a second click is answered with the first one's end.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, journal, outbox
from db.journal import Entry
from db.outbox import NewEffect
from dunning.case import settle
from dunning.rules.context import context
from dunning.rules.paying_now import Refusal, asked_key, in_flight, refusal, refusal_anew
from dunning.steps import ASKED, ASKED_ANEW, Kind
from providers.lookup import Charged
from worker.services import Services
from worker.usecases.call_provider import call_provider

REASON = "the customer asked for it on their page"
# Seconds. Whoever waits in front of a page is told after this that it takes longer.
PATIENCE = 20.0
LOOK_EVERY = 0.2


@dataclass(frozen=True, slots=True)
class Click:
    """A form that was sent: the customer (row id), the case, the form's own random part.

    `anew`: the method they have given last is meant, not the one on file.
    """

    customer_id: int
    case: str
    nonce: str
    anew: bool = False


async def charge_now(services: Services, click: Click) -> Charged | Refusal | None:
    """What came of it, why it is not done, or None: that is not known yet, and a worker sees to it."""
    async with services.engine.begin() as connection:
        decided = await _decide(connection, services, click)
    if isinstance(decided, Refusal):
        return decided
    if decided.row:
        await call_provider(services, decided.row)
    return await _outcome(services, click.customer_id, decided.step)


@dataclass(frozen=True, slots=True)
class _Decided:
    """The step to look at, and its row if it is ours to carry out."""

    step: str
    row: int | None = None


async def _decide(connection: AsyncConnection, services: Services, click: Click) -> _Decided | Refusal:
    loaded = (await accounts.load(connection, [click.customer_id], lock=True))[click.customer_id]
    at = loaded.clock or services.clock()
    account = settle(loaded.account, services.policy)
    c = context(account, account.cases[click.case], loaded.history, services.policy, at)
    key = asked_key(c, click.nonce)
    running = key if key in loaded.history else in_flight(c)
    if running:
        return _Decided(running)
    if why := refusal_anew(c) if click.anew else refusal(c):
        return why
    effect = NewEffect(
        customer_id=click.customer_id,
        case=click.case,
        step=key,
        kind=Kind.RETRY,
        name=ASKED_ANEW if click.anew else ASKED,
        channel="provider",
        reason=REASON,
        created_at=at,
    )
    await journal.write(
        connection, [Entry(click.customer_id, at, "retry.asked", REASON, click.case, {"step": key})]
    )
    [row] = await outbox.add(connection, [effect])
    return _Decided(key, row)


async def _outcome(services: Services, customer_id: int, step: str) -> Charged | None:
    """Wait for whoever carries it out, be it this process or another."""
    for _ in range(round(PATIENCE / LOOK_EVERY)):
        async with services.engine.connect() as connection:
            found = await outbox.outcome(connection, customer_id, step)
        if found is None or found.again or found.status not in ("pending", "sending", "sent"):
            return None
        if found.status == "sent":
            return Charged.read(found.said or "")
        await asyncio.sleep(LOOK_EVERY)
    return None
