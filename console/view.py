"""Everything the team may want to know of one customer, read once and looked at from several sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from console.forecast import forecast
from db import accounts, journal, mail_results, outbox
from db.accounts import Loaded
from db.journal import Entry
from dunning.account import Account
from dunning.case import settle
from dunning.lazy import lazy
from dunning.plan import plan
from dunning.results import Result
from dunning.segments import PolicySource
from dunning.steps import History, Plan, Step


@dataclass(frozen=True, slots=True)
class Sending:
    """One row of the outbox: a step, and what became of it on one channel. Times are the account's.

    `results` are what the mail service has said of it, each with its words.
    """

    step: str
    channel: str
    case: str
    status: str
    reason: str
    created_at: datetime
    accepted_at: datetime | None
    attempts: int
    recipient: str | None
    last_error: str | None
    results: Mapping[Result, str | None] = field(default_factory=dict)

    @property
    def settled_at(self) -> datetime:
        """When it was accepted, or else decided."""
        return self.accepted_at or self.created_at


@dataclass(frozen=True)
class View:
    """One customer at one moment. `at` is the account's time: its test clock's, or the wall clock's.

    The account is settled and `planned` is its plan, exactly as the worker would make it now.
    """

    account: Account
    history: History
    policy: PolicySource
    at: datetime
    planned: Plan
    sendings: Sequence[Sending] = ()
    journal: Sequence[Entry] = ()

    @lazy
    def ahead(self) -> tuple[Step, ...]:
        """What will be done if nobody pays, in order."""
        return forecast(self.account, self.history, self.policy, self.at)


def look(loaded: Loaded, policy: PolicySource, now: datetime) -> View:
    """The view of a loaded account, without its outbox and journal. `now` is the wall clock."""
    account, at = settle(loaded.account, policy), loaded.clock or now
    return View(account, loaded.history, policy, at, plan(account, loaded.history, policy, at))


async def read(connection: AsyncConnection, customer_id: int, policy: PolicySource, now: datetime) -> View:
    """The whole view of one customer. KeyError for a row id that does not exist."""
    loaded = (await accounts.load(connection, [customer_id]))[customer_id]
    seen = look(loaded, policy, now)
    names = [name for name in Sending.__slots__ if name != "results"]
    rows = await outbox.history_of(connection, customer_id)
    told = await mail_results.of_customer(connection, customer_id)
    return View(
        account=seen.account,
        history=seen.history,
        policy=policy,
        at=seen.at,
        planned=seen.planned,
        sendings=[
            Sending(**{name: row[name] for name in names}, results=told.get(row["id"], {})) for row in rows
        ],
        journal=await journal.read(connection, customer_id),
    )
