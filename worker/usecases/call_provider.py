"""Have the provider do something: charge an invoice once more, or end what nobody pays for.

The step's key is the provider's idempotency key, so a call that was cut off is simply made again, by anybody:
Stripe answers the second one with the result of the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import get_args

import structlog

from db import accounts, outbox
from db.accounts import Loaded
from db.outbox import Claim
from db.session import driver
from dunning.account import Account
from dunning.case import settle
from dunning.plan import verdict
from dunning.steps import ASKED, ASKED_ANEW, NEW_METHOD, Kind
from providers.lookup import EndAction, Gateway, Lookup, ProviderUnavailableError, Subject
from tracing import spans
from worker.lease import held
from worker.services import Services
from worker.usecases.holding import let_through
from worker.usecases.learn import known_until, learn
from worker.usecases.outcomes import MOST_ATTEMPTS, finish, postpone, put_off

log = structlog.get_logger()

END_ACTIONS: tuple[EndAction, ...] = get_args(EndAction)


async def call_provider_each(services: Services, ids: Sequence[int]) -> None:
    """Carry out these outbox rows, each by itself."""
    for effect_id in ids:
        try:
            await call_provider(services, effect_id)
        except Exception as error:
            # The next row must not wait for this one, which is due again when its lease runs out.
            log.exception("effect.interrupted", effect=effect_id, error=type(error).__name__)


async def call_provider(services: Services, effect_id: int) -> None:
    """Carry out one row, unless it is done, somebody else's, or no longer wanted."""
    async with services.engine.begin() as connection:
        claim = await outbox.claim(connection, effect_id)
        if claim is None or not await let_through(connection, [claim]):
            return
        loaded = (await accounts.load(connection, [claim.customer_id]))[claim.customer_id]
    at = loaded.clock or services.clock()
    account = settle(loaded.account, services.policy)
    found = verdict(account, loaded.history, services.policy, at, claim.step)
    gateway = services.gateways.get(account.source)
    if found.excuse:
        # Whatever made it unwanted may be the news of that very call.
        status = "unknown" if claim.handed_over else "suppressed"
        await finish(services, loaded, claim, status, error=found.excuse)
    elif found.put_off and not claim.handed_over:
        await put_off(services, claim, loaded, found.put_off)
    elif gateway is None or claim.fence > MOST_ATTEMPTS:
        status = "unknown" if claim.handed_over else "failed"
        await finish(services, loaded, claim, status, error="the provider could not be asked")
    else:
        with spans.span("effect.call", claim.trace, step=claim.step, attempt=claim.fence):
            async with held(services.engine, claim):
                await _call(services, gateway, claim, loaded, account, at)


async def _call(
    services: Services, gateway: Gateway, claim: Claim, loaded: Loaded, account: Account, at: datetime
) -> None:
    async with driver(services.engine) as connection:
        if not await outbox.hand_over(connection, claim, None, {}):
            return
    try:
        outcome = await _ask(gateway, claim, account)
    except ProviderUnavailableError as error:
        await postpone(services, claim, loaded, str(error), may_have_happened=True)
        return
    await finish(services, loaded, claim, "sent", error=outcome)
    await _read_back(services, gateway, claim, account, at)


async def _ask(gateway: Gateway, claim: Claim, account: Account) -> str:
    """What came of it, for the journal: ids and codes only."""
    key = f"dunning:{claim.step}"
    if claim.kind is Kind.RETRY:
        return str(
            await gateway.pay(
                claim.case,
                key,
                present=claim.name in (ASKED, ASKED_ANEW),
                anew=claim.name in (ASKED_ANEW, NEW_METHOD),
            )
        )
    action = next(action for action in END_ACTIONS if action == claim.name)
    await gateway.end(account.cases[claim.case].subscription, action, key)
    return action


async def _read_back(
    services: Services, gateway: Gateway, claim: Claim, account: Account, at: datetime
) -> None:
    """The charge belongs into the ledger at once; its event will say the same, if need be alone."""
    try:
        found = await gateway.look_up(Lookup(Subject.INVOICE, claim.case, known_until(account) or at))
    except ProviderUnavailableError as error:
        log.warning("outcome.unread", step=claim.step, error=str(error))
        return
    await learn(services, claim.customer_id, found.facts)
