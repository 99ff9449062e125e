"""Send the newest mail of a case once more, because a person of the team wants it so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, journal, outbox
from db.journal import Entry
from db.outbox import NewEffect
from dunning.case import settle
from dunning.refusals import nobody_says
from dunning.requests import Code, Refusal
from dunning.rules.context import context
from dunning.rules.resending import resent_step, why_not_resent
from dunning.segments import PolicySource
from dunning.steps import RESENT, Kind
from worker.usecases.instruct import RefusedError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Resent:
    """The step that repeats a mail, and the outbox rows that carry it out. `at` is the account's time."""

    customer: str
    case: str
    step: str
    at: datetime
    rows: tuple[int, ...]


async def resend(
    connection: AsyncConnection,
    customer_id: int,
    case: str,
    *,
    by: str,
    why: str,
    policy: PolicySource,
    now: datetime,
) -> Resent:
    """Write the mail of a customer's (row id) case down, for a worker to send; `now` is the wall clock.

    Raises RefusedError, which says why and what to do instead, and has then changed nothing.
    """
    # Locked: the mails of a day are counted.
    loaded = (await accounts.load(connection, [customer_id], lock=True))[customer_id]
    at = loaded.clock or now
    account = settle(loaded.account, policy)
    if refused := nobody_says(by, why):
        raise RefusedError(refused)
    if case not in account.cases:
        raise RefusedError(Refusal(f"{account.customer.ref} has no case of {case}."))
    c = context(account, account.cases[case], loaded.history, policy, at)
    if why_not := why_not_resent(c):
        code = Code.REFUSED if c.s.case.is_open else Code.CASE_CLOSED
        raise RefusedError(Refusal(why_not, code))
    step, reason = resent_step(c), f"{by} wants it sent again: {why}"
    effect = NewEffect(
        customer_id=customer_id,
        case=case,
        step=step,
        kind=Kind.MAIL,
        name=RESENT,
        channel="mail",
        reason=reason,
        created_at=at,
    )
    rows = await outbox.add(connection, [effect])
    entry = Entry(customer_id, at, "mail.asked", why, case, {"step": step, "by": by})
    await journal.write(connection, [entry])
    log.info("mail.asked", customer=customer_id, case=case, step=step)
    return Resent(account.customer.ref, case, step, at, tuple(rows))
