"""Forget a customer, or let them be known again, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, erasure, instructions, journal
from db.accounts import Loaded
from db.erasure import Erased
from db.journal import Entry
from dunning.account import Account
from dunning.case import settle
from dunning.forgetting import is_forgotten, without_person
from dunning.instructions import Instruction, Verb
from dunning.reach import BILLING_CONTACT
from dunning.requests import Refusal, Request
from dunning.segments import PolicySource
from worker.usecases.enact import enact
from worker.usecases.instruct import RefusedError, instruct

log = structlog.get_logger()

WHY_FORGET = "they are to be forgotten"
WHY_REMEMBER = "they may be known again"
# Seconds. What is applied while the inbox is looked through is looked at once more.
MEANWHILE = 3600.0


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Who was forgotten, what was known of them until then, and what was erased.

    `already`: they had been before; what has come to be known since is erased as well.
    """

    customer: str
    already: bool
    known: tuple[str, ...]
    open_cases: tuple[str, ...]
    erased: Erased


async def forget(
    connection: AsyncConnection,
    customer_id: int,
    *,
    by: str,
    policy: PolicySource,
    now: datetime,
    open_cases_too: bool = False,
) -> Forgotten:
    """Forget the customer of this row id; `now` is the wall clock. Safe to repeat.

    Raises RefusedError while money is asked for, unless `open_cases_too`, or while a mail is being sent, and
    then nothing is to be committed.
    """
    ref, addresses = await _known(connection, customer_id)
    # It takes longest, and is done before anybody has to wait for the account.
    before_lock = await erasure.blank_events(connection, ref, addresses)
    loaded = (await accounts.load(connection, [customer_id], lock=True))[customer_id]
    account = settle(loaded.account, policy)
    still_open = tuple(case.invoice for case in account.open_cases())
    already = is_forgotten(account.instructions)
    if still_open and not (open_cases_too or already):
        raise RefusedError(_unpaid(ref, still_open))
    if await erasure.withdraw(connection, customer_id):
        raise RefusedError(Refusal("A message about them is being sent at this moment: try again shortly."))
    addresses |= await erasure.addresses(connection, customer_id, BILLING_CONTACT)
    meanwhile = await erasure.blank_events(connection, ref, addresses, within=MEANWHILE)
    events = replace(meanwhile, events=before_lock.events + meanwhile.events)
    await _unsay(connection, loaded, account, by, already, policy, now)
    erased = await erasure.erase(connection, customer_id, ref, addresses, events)
    log.info("customer.forgotten", customer=customer_id)
    return Forgotten(ref, already, _names(account), still_open, erased)


async def remember(
    connection: AsyncConnection,
    customer_id: int,
    *,
    by: str,
    policy: PolicySource,
    zone: tzinfo,
    now: datetime,
) -> None:
    """Let what the provider says of who they are be kept again, and dunning go on. Raises RefusedError."""
    request = Request(Verb.REMEMBER, by, WHY_REMEMBER)
    await instruct(connection, customer_id, request, policy=policy, zone=zone, now=now)


async def _known(connection: AsyncConnection, customer_id: int) -> tuple[str, frozenset[str]]:
    account = (await accounts.load(connection, [customer_id], facts_only=True))[customer_id].account
    return account.customer.ref, await erasure.addresses(connection, customer_id, BILLING_CONTACT)


async def _unsay(
    connection: AsyncConnection,
    loaded: Loaded,
    account: Account,
    by: str,
    already: bool,
    policy: PolicySource,
    now: datetime,
) -> None:
    """Say so, unless it was said, and plan as for somebody whom nobody knows."""
    at = loaded.clock or now
    said = account.instructions
    if not already:
        told = Instruction(Verb.FORGET, at, by, WHY_FORGET)
        await instructions.add(connection, loaded.id, told)
        entry = Entry(loaded.id, at, f"instruction.{told.verb}", told.why, None, {"by": by})
        await journal.write(connection, [entry])
        said = (*said, told)
    after = settle(without_person(replace(account, instructions=said)), policy)
    await enact(connection, loaded, after, policy=policy, team_channels=(), now=at, taking=False)


def _unpaid(ref: str, invoices: tuple[str, ...]) -> Refusal:
    names = ", ".join(invoices)
    return Refusal(
        f"{ref} still owes {names}. Forgotten, they are asked for nothing any more. Have it paid, voided or "
        "forgiven first, or say --even-with-open-case."
    )


def _names(account: Account) -> tuple[str, ...]:
    """What of the mirror says who they are: the names of it, not the values."""
    customer = account.customer
    known = [name for name in ("email", "name", "locales", "country", "metadata") if getattr(customer, name)]
    return (*known, "card") if any(method.last4 for method in account.methods.values()) else tuple(known)
