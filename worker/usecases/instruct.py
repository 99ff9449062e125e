"""From a person's word to its effect: checked, written down and in force in one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, tzinfo

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, instructions, journal
from db.journal import Entry
from dunning.case import settle
from dunning.instructions import Instruction
from dunning.refusals import refusal
from dunning.requests import Refusal, Request, as_instruction
from dunning.segments import PolicySource
from worker.usecases.enact import enact

log = structlog.get_logger()


class RefusedError(Exception):
    """The instruction cannot be given; the text says why and what to do instead."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.code = refusal.code


async def instruct(
    connection: AsyncConnection,
    customer_id: int,
    request: Request,
    *,
    policy: PolicySource,
    zone: tzinfo,
    now: datetime,
) -> Instruction:
    """Do as somebody asks for one customer (row id): `now` is the wall clock, `zone` the merchant's.

    When it returns, cases are closed, access is given back, mails nobody wants any more are dropped and
    deadlines are moved. What becomes due by it is left to a worker, who knows how to reach the team. Raises
    RefusedError and has then changed nothing.
    """
    loaded = (await accounts.load(connection, [customer_id], lock=True))[customer_id]
    at = loaded.clock or now
    before = settle(loaded.account, policy)
    case = before.cases.get(request.case or "")
    told = as_instruction(request, policy.of(case).zone if case else zone, at)
    refused = refusal(before, loaded.history, policy, told, at, zone)
    if refused:
        raise RefusedError(refused)
    await instructions.add(connection, customer_id, told)
    after = settle(replace(before, instructions=(*before.instructions, told)), policy)
    await journal.write(connection, [_entry(customer_id, told, zone)])
    await enact(connection, loaded, after, policy=policy, team_channels=(), now=at, taking=False)
    log.info("instruction.given", customer=customer_id, case=told.case, verb=told.verb.value)
    return told


def _entry(customer_id: int, told: Instruction, zone: tzinfo) -> Entry:
    """Whoever reads it sees the day that was meant, so it is written in the merchant's zone."""
    data = {
        "by": told.by,
        "until": told.until and told.until.astimezone(zone).isoformat(),
        "days": told.span and told.span.total_seconds() / 86400,
        "to": told.to,
    }
    kept = {name: value for name, value in data.items() if value is not None}
    return Entry(customer_id, told.at, f"instruction.{told.verb}", told.why, told.case, kept)
