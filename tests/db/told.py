"""Customers whose facts are folded, settled and stored as the worker does, and the figures of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from console.figures import Figures, figures
from console.figures.period import Period, period
from db import accounts, changes, journal
from db.accounts import Loaded
from db.changes import Change
from db.journal import Entry
from dunning.events import CustomerFact
from dunning.fold import empty, fold
from dunning.instructions import Instruction
from tests.db.conftest import Database
from tests.dunning.builders import CUSTOMER, INVOICE, POLICY, day, failures
from tests.dunning.more_builders import after

# Some weeks after the day 0 of the builders, which is in March.
NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
SPRING = period("2026-02", "2026-04", None, now=NOW, zone=BERLIN)

Facts = CustomerFact | Sequence[CustomerFact]
# A day, a journal entry's kind, and its data, with its reason and case where those matter.
Written = tuple[float, str, dict[str, Any]]
_NUMBERS = count(1)


@dataclass
class Told:
    """What was heard of one customer, said about them, and written down."""

    facts: Sequence[Facts]
    said: Sequence[Instruction] = ()
    journal: Sequence[Written] = ()


def failed_on(*days: float, amount: int = 1900, **fields: Any) -> list[CustomerFact]:
    """A renewal of this amount, declined on each of these days."""
    return failures(*days, amount_remaining=amount, **fields)


def stored(database: Database, *told: Told | Sequence[Facts]) -> None:
    """Write them into the tables, a customer each."""

    async def work(connection: AsyncConnection) -> None:
        for each in told:
            await _store(connection, each if isinstance(each, Told) else Told(each))

    database.commit(work)


async def _store(connection: AsyncConnection, told: Told) -> None:
    ref = f"cus_{next(_NUMBERS)}"
    owner = (await accounts.ensure(connection, [("stripe", ref)]))["stripe", ref]
    known = after(fold(empty("stripe", CUSTOMER), *_flat(told.facts)), *told.said, rules=POLICY)
    known = replace(known, customer=replace(known.customer, ref=ref))
    await changes.save(connection, [Change(Loaded(owner, empty("stripe", ref)), known)])
    entries = [
        Entry(
            owner,
            day(at),
            kind,
            details.get("reason"),
            details.get("case", INVOICE),
            {name: value for name, value in details.items() if name not in ("reason", "case")},
        )
        for at, kind, details in told.journal
    ]
    await journal.write(connection, entries)


def _flat(facts: Iterable[Facts]) -> list[CustomerFact]:
    flat: list[CustomerFact] = []
    for each in facts:
        flat += each if isinstance(each, Sequence) else [each]
    return flat


def figures_of(database: Database, of: Period = SPRING, now: datetime = NOW, **options: Any) -> Figures:
    """The figures of spring."""

    async def work(connection: AsyncConnection) -> Figures:
        return await figures(connection, of, now=now, **options)

    return database.commit(work)
