"""Carry out effects: claim them, ask again whether each is still wanted, write it once, send, write down.

Killed between any two steps, the lease runs out and somebody else goes on: with the stored message if
nothing was handed over yet, and with the status `unknown` if it may have been; but what tells the team other
than by mail is sent again. Effects are claimed and read many at once, but a mail is handed over by itself,
right before it is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog

from db import accounts, outbox
from db.accounts import Loaded
from db.outbox import Claim
from db.session import at_once, driver
from dunning.case import settle
from dunning.plan import verdict
from dunning.reach import recipient
from dunning.steps import Kind
from emails.delivery import Accepted, Deferred, Delivery, Rejected
from emails.reference import mail_key, reference
from providers.lookup import NothingToPayError, ProviderUnavailableError
from tracing import spans
from worker.courier import BusyError, Courier
from worker.lease import held
from worker.prepare import prepare
from worker.services import Services
from worker.usecases.holding import let_through
from worker.usecases.outcomes import MOST_ATTEMPTS, Outcome, finish, let_go, postpone, put_off
from worker.usecases.remembering import Memory, persistently

log = structlog.get_logger()

# Seconds. One wake-up begins no further row after this: a send cut by the actor's time limit is not repeated.
ENOUGH = 20.0
# Effects that are claimed together: what a slow mail server keeps from others at most.
AT_ONCE = 20
# Some minutes: an address may be told by an event of its own, which comes a moment after the failure.
ATTEMPTS_WITHOUT_ADDRESS = 5


async def deliver_each(
    services: Services,
    courier: Courier,
    ids: Sequence[int],
    *,
    memory: Memory | None = None,
    enough: float = ENOUGH,
) -> None:
    """Carry out these outbox rows. What does not fit into the time, the scheduler finds.

    Those that nobody has begun with yet are taken together. One that was begun before comes alone, and after
    those that were begun less often: it may have ended its process. Calls that share a `memory` write down
    together how their sends ended.
    """
    memory = memory or Memory()
    clock = asyncio.get_running_loop().time
    stop_at = clock() + enough
    alone: list[int] = []
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        if start and clock() > stop_at:
            log.info("effects.left", rows=len(ids) - start)
            return
        taken = await _deliver_fresh(services, courier, memory, some, patience=stop_at - clock())
        alone += [effect_id for effect_id in some if effect_id not in taken]
    if alone:
        async with at_once(services.engine) as connection:
            alone = await outbox.unclaimed(connection, alone)
    for number, effect_id in enumerate(alone):
        if number and clock() > stop_at:
            log.info("effects.left", rows=len(alone) - number)
            return
        try:
            await deliver(services, courier, effect_id, memory=memory, patience=stop_at - clock())
        except Exception as error:
            # The next row must not wait for this one, which is due again when its lease runs out.
            log.exception("effect.interrupted", effect=effect_id, error=type(error).__name__)


async def _deliver_fresh(
    services: Services, courier: Courier, memory: Memory, ids: Sequence[int], *, patience: float
) -> set[int]:
    """Carry out those that nobody has begun with, side by side; the ids of those that were taken."""
    try:
        async with services.engine.begin() as connection:
            taken = await outbox.claim_fresh(connection, ids)
            claims = await let_through(connection, taken)
            loaded = await accounts.load(connection, [claim.customer_id for claim in claims])
    except Exception as error:
        log.warning("batch.split", rows=len(ids), error=type(error).__name__)
        return set()

    async def one(claim: Claim) -> None:
        try:
            with spans.span("effect.send", claim.trace, step=claim.step, attempt=claim.fence):
                await _carry_out(services, courier, claim, loaded[claim.customer_id], memory, patience)
        except Exception as error:
            log.exception("effect.interrupted", effect=claim.id, error=type(error).__name__)

    if claims:
        async with held(services.engine, *claims), asyncio.TaskGroup() as tasks:
            for claim in claims:
                tasks.create_task(one(claim))
    return {claim.id for claim in taken}


async def deliver(
    services: Services,
    courier: Courier,
    effect_id: int,
    *,
    memory: Memory | None = None,
    patience: float = ENOUGH,
) -> None:
    """Carry out one outbox row, unless it is done, somebody else's, or no longer wanted.

    `patience`, in seconds, is how long it may wait for the mail server to be done with others.
    """
    async with services.engine.begin() as connection:
        claim = await outbox.claim(connection, effect_id)
        if claim is None or not await let_through(connection, [claim]):
            return
        loaded = (await accounts.load(connection, [claim.customer_id]))[claim.customer_id]
    if claim.handed_over and (claim.channel == "mail" or claim.fence > MOST_ATTEMPTS):
        await finish(services, loaded, claim, "unknown", error="an earlier send was never answered")
    elif claim.fence > MOST_ATTEMPTS:
        await finish(services, loaded, claim, "failed", error="every attempt ended before it was sent")
    else:
        with spans.span("effect.send", claim.trace, step=claim.step, attempt=claim.fence):
            async with held(services.engine, claim):
                await _carry_out(services, courier, claim, loaded, memory or Memory(), patience)


async def _carry_out(
    services: Services, courier: Courier, claim: Claim, loaded: Loaded, memory: Memory, patience: float
) -> None:
    at = loaded.clock or services.clock()
    try:
        account = settle(loaded.account, services.policy)
        found = verdict(account, loaded.history, services.policy, at, claim.step)
        if found.excuse:
            status = "unknown" if claim.handed_over else "suppressed"
            await finish(services, loaded, claim, status, error=found.excuse)
            return
        if later := found.put_off or (found.asleep_until if claim.fence > 1 else None):
            await put_off(services, claim, loaded, later)
            return
        to = _recipient(courier, claim, loaded)
        if to is None and claim.channel == "mail":
            why = "there is no address to send it to"
            await postpone(services, claim, loaded, why, most_attempts=ATTEMPTS_WITHOUT_ADDRESS)
            return
        stored = claim.rendered or await prepare(services, courier, claim, loaded, account, at)
    except NothingToPayError as error:
        await finish(services, loaded, claim, "suppressed", error=f"the invoice is {error} already")
        return
    except ProviderUnavailableError as error:
        await postpone(services, claim, loaded, str(error))
        return
    except Exception as error:
        # A message that cannot be written must come to an end too, and to a person.
        log.exception("effect.unwritten", step=claim.step, error=type(error).__name__)
        await postpone(services, claim, loaded, f"it could not be written: {type(error).__name__}")
        return
    try:
        async with courier.turn(claim.channel, patience):
            await memory.catch_up()
            key = mail_key(account.source, claim.step)
            answer = await _hand_over(services, courier, claim, key, to, stored)
    except BusyError:
        await let_go(services, claim, "the mail server was busy with others")
        return
    if answer:
        await _remember(services, memory, loaded, claim, answer)


async def _hand_over(
    services: Services, courier: Courier, claim: Claim, key: str, to: str | None, stored: dict[str, Any]
) -> Delivery | None:
    """Send it, unless it is somebody else's by now. From the commit on it may have been sent."""
    mark = reference(key) if claim.channel == "mail" else None
    async with driver(services.engine) as connection:
        ours = await outbox.hand_over(connection, claim, to, stored, mark)
    return await courier.send(claim.channel, key, to, stored) if ours else None


def _recipient(courier: Courier, claim: Claim, loaded: Loaded) -> str | None:
    """Looked up for each attempt: whoever has corrected their address wants a delayed mail there."""
    if claim.kind is Kind.MAIL:
        return recipient(loaded.account, loaded.history, claim.case, claim.name)
    return courier.sender.team_address


async def _remember(
    services: Services, memory: Memory, loaded: Loaded, claim: Claim, answer: Delivery
) -> None:
    if isinstance(answer, Accepted):
        await memory.note(services, Outcome(loaded, claim, "sent"))
    elif isinstance(answer, Deferred):
        why, details = f"not accepted yet ({answer.code or 'no answer'})", answer.text
        await persistently(lambda: postpone(services, claim, loaded, why, details=details), claim.step)
    elif isinstance(answer, Rejected):
        why = f"the server refused it with {answer.code}"
        await memory.note(services, Outcome(loaded, claim, "failed", why, answer.text))
    else:
        await memory.note(services, Outcome(loaded, claim, "unknown", "the mail server never answered"))
