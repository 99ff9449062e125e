"""A business of any size in the real tables: a few lives, lived by the rules, and each of them many times.

The lives end on the eve of a revocation: everybody was warned in time, and access is due to be taken. They
are written by the product's own statements and copied by the database.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from db import accounts, changes, journal, outbox
from db.changes import Change
from db.journal import Entry
from db.models import access, cases, charges, customers, invoices, subscriptions
from db.models import journal as entries
from db.models import outbox as effects
from db.outbox import NewEffect
from dunning.access import Access, Level, Reason
from dunning.account import Account, Customer, Subscription
from dunning.defaults import default_book
from dunning.events import AsOf
from dunning.hindsight import Hindsight
from dunning.hours import ALWAYS
from dunning.imagined import SUBSCRIPTION, Failure, imagine
from dunning.policy import Policy
from dunning.replay import moments
from dunning.steps import Kind, Step

# A billing system that only tells: it is not asked before access is taken.
SOURCE = "bench"
CODES = ("insufficient_funds", "do_not_honor", "expired_card", "generic_decline")
LIVES = len(CODES)
# In every reference of a life, where each copy has its number.
NAME = "imagined"
FAILED_BEFORE = timedelta(days=40)
# Far enough ahead that nothing is due until somebody says so.
LATER = timedelta(days=30)
# Access is taken at any hour: whoever measures does not wait for Monday.
BOOK = default_book(Policy(key="bench/base", revocation_hours=ALWAYS))

# What a copy has of its own: every text that refers to somebody or something.
_NAMED = {"ref", "email", "invoice", "subscription", "case", "step", "recipient"}
_COPIED = (customers, subscriptions, invoices, charges, cases, access, effects, entries)


@dataclass(frozen=True, slots=True)
class Life:
    """An account with the access it has, and every step that was taken for it."""

    account: Account
    access: Access
    taken: tuple[Step, ...] = ()


def on_the_eve(now: datetime) -> list[Life]:
    """One life for each code, up to the moment before access is taken."""
    return [_life(number, code, now - FAILED_BEFORE) for number, code in enumerate(CODES, start=1)]


def _life(number: int, code: str, on: datetime) -> Life:
    account = imagine(Failure(codes=(code,), on=on, days=(0, 3, 5, 7), country="US"))
    who = replace(account.customer, ref=f"cus_{NAME}-{number}", email=f"{NAME}-{number}@customer.example")
    behind = replace(account.subscriptions[SUBSCRIPTION], status="past_due", as_of=AsOf(on))
    account = replace(account, source=SOURCE, customer=who, subscriptions={SUBSCRIPTION: behind})
    lived = list(
        takewhile(
            lambda moment: not any(step.name == "revoked" for step in moment.taken),
            moments(Hindsight(account), BOOK),
        )
    )
    taken = tuple(step for moment in lived for step in moment.taken)
    known = replace(account, cases=lived[-1].account.cases)
    return Life(known, lived[-1].plan.access, taken)


def _in_good_standing(now: datetime) -> Life:
    who = Customer(f"cus_{NAME}", email=f"{NAME}@customer.example", country="US")
    paying = Subscription(ref=SUBSCRIPTION, status="active", interval="month", as_of=AsOf(now))
    full = Access(Level.FULL, Reason.GOOD_STANDING, None, SUBSCRIPTION)
    return Life(Account(SOURCE, who, subscriptions={SUBSCRIPTION: paying}), full)


def fill(database_url: str, *, paying: int, open_cases: int) -> None:
    """So many customers in good standing, and so many on the eve; none of them is due yet.

    Those on the eve have row ids from 1 to `open_cases`, the others come after them.
    """
    asyncio.run(_fill(database_url, paying, open_cases))


async def _fill(database_url: str, paying: int, open_cases: int) -> None:
    engine = create_async_engine(database_url, pool_size=len(_COPIED))
    now = datetime.now(UTC)
    last = open_cases // LIVES * LIVES
    async with engine.begin() as connection:
        for life in on_the_eve(now):
            await _store(connection, life, now)
        await _continue_after(connection, last)
        await _store(connection, _in_good_standing(now), now)
        # Copies have numbers of their own; whoever comes later comes after them.
        await _continue_after(connection, last + paying)
    # All tables at once: they do not wait for each other.
    await asyncio.gather(*(_multiply(engine, table, paying, open_cases) for table in _COPIED))
    await engine.dispose()


async def _continue_after(connection: AsyncConnection, row_id: int) -> None:
    await connection.execute(
        text("SELECT setval(pg_get_serial_sequence('customers', 'id'), :row_id)"), {"row_id": row_id}
    )


async def _store(connection: AsyncConnection, life: Life, now: datetime) -> None:
    key = (life.account.source, life.account.customer.ref)
    row_id = (await accounts.ensure(connection, [key]))[key]
    loaded = (await accounts.load(connection, [row_id], lock=True))[row_id]
    due = dict.fromkeys(life.account.cases, now + LATER)
    await changes.save(connection, [Change(loaded, life.account, due)], heard_late=True)
    given = life.access
    row: dict[str, Any] = {"customer_id": row_id, "level": given.level.value, "reason": given.reason.value}
    row |= {"until": given.until, "subscription": given.subscription, "changed_at": now - FAILED_BEFORE}
    await changes.upsert(connection, access, [row])
    # Access is no effect on the outside world.
    effects_of = [_sent(row_id, step) for step in life.taken if step.kind is not Kind.ACCESS]
    await outbox.add_all(connection, effects_of)
    await connection.execute(
        text("UPDATE outbox SET accepted_at = created_at, handed_at = created_at, due_at = created_at")
    )
    await journal.write(connection, [_told(row_id, step) for step in life.taken])


def _sent(customer_id: int, step: Step) -> NewEffect:
    channel = "mail" if step.kind is Kind.MAIL else "team"
    values = (customer_id, step.case, step.key, step.kind, step.name, channel, step.reason, step.due_at)
    return NewEffect(*values, status="sent")


def _told(customer_id: int, step: Step) -> Entry:
    data = {"step": step.key, "name": step.name}
    return Entry(customer_id, step.due_at, f"{step.kind.value}.decided", step.reason, step.case, data)


async def _multiply(engine: AsyncEngine, table: Table, paying: int, open_cases: int) -> None:
    """Copy what one table has of the lives, each as often as it takes."""
    behind = open_cases // LIVES
    async with engine.begin() as connection:
        # Rows that are copied from sound ones need no check of each reference.
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await _repeat(connection, table, LIVES, behind - 1, first=1)
        await _repeat(connection, table, 1, paying - 1, first=behind * LIVES + 1)
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        # As autovacuum leaves tables that are in use.
        await connection.execute(text(f"VACUUM (ANALYZE) {table.name}"))


async def _repeat(connection: AsyncConnection, table: Table, lives: int, copies: int, *, first: int) -> None:
    """Copy the rows of the customers with `lives` row ids from `first` on."""
    customers_of = {"first": first, "last": first + lives - 1, "lives": lives}
    await connection.execute(text(_copy(table)), {**customers_of, "copies": copies, "prefix": f"n{first}x"})


def _copy(table: Table) -> str:
    key = "id" if table is customers else "customer_id"
    names = [column.name for column in table.c if column.name == key or column.name != "id"]
    chosen = [_value(name, key) for name in names]
    columns = ", ".join(f'"{name}"' for name in names)
    return f"""
        INSERT INTO {table.name} ({columns}) OVERRIDING SYSTEM VALUE
        SELECT {", ".join(chosen)} FROM {table.name} AS life,
               generate_series(1, CAST(:copies AS integer)) AS copy
        WHERE life.{key} BETWEEN :first AND :last
    """  # noqa: S608  # names of our own tables


def _value(name: str, key: str) -> str:
    if name == key:
        return f"life.{name} + CAST(:lives AS integer) * copy"
    if name in _NAMED:
        return f"""replace(life."{name}", '{NAME}', CAST(:prefix AS text) || copy)"""
    return f'life."{name}"'


def make_due(open_cases: range) -> str:
    """The statement that makes the cases of these customers (row ids) due now."""
    return f"""
        UPDATE cases SET due_at = clock_timestamp() - interval '1 second', swept_at = NULL
        WHERE customer_id BETWEEN {open_cases[0]} AND {open_cases[-1]}
    """  # noqa: S608  # numbers
