"""Customers with a dunning history, straight into the tables: as many as a comparison of policies wants."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from multiprocessing import get_context
from random import Random
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations

from db.mapping import columns
from dunning.account import Account
from dunning.case import settle
from dunning.defaults import default_book
from dunning.events import AsOf
from dunning.imagined import SUBSCRIPTION, TYPICAL, Failure, imagine
from dunning.policy import Policy
from settings.urls import for_asyncpg

START = datetime(2025, 1, 1, tzinfo=UTC)
SPREAD = timedelta(days=500)
CHUNK = 5_000  # customers that one process writes at a time

# How often each comes: most failures are for want of money, and most are paid within the week.
CODES = ["insufficient_funds"] * 10 + ["do_not_honor"] * 5 + ["expired_card"] * 3 + sorted(TYPICAL.values())
PAID_ON = [*[0.5, 1.2, 2.5, 3.01, 5.01, 6.4, 9.8, 12.3], 21.0, *[None] * 3]
INTERVALS = ["month"] * 8 + ["year", "week"]
COUNTRIES = ["US", "DE", "GB", "JP", "BR", None]


def accounts(count: int, seed: int = 1, first: int = 0) -> Iterator[Account]:
    """As many customers, numbered from `first`, each with one failed renewal; the same for the same seed."""
    random = Random(seed)  # noqa: S311  # variety, not a secret
    for number in range(first, first + count):
        failure = Failure(
            codes=(random.choice(CODES),),
            on=START + timedelta(seconds=random.randrange(int(SPREAD.total_seconds()))),
            days=(0, 3, 5, 7),
            amount=random.choice([900, 1900, 4900, 19_900, 90_000]),
            interval=random.choice(INTERVALS),
            country=random.choice(COUNTRIES),
            paid_on=random.choice(PAID_ON),
        )
        account = imagine(failure)
        customer = replace(account.customer, ref=f"cus_{number:07}", email=f"{number}@customer.example")
        yield _seen(replace(account, customer=customer))


def _seen(account: Account) -> Account:
    """With the subscription as it was seen last."""
    [invoice] = account.invoices.values()
    subscription = account.subscriptions[SUBSCRIPTION]
    at = invoice.paid_at or invoice.last_failed_at or START
    seen = replace(subscription, as_of=AsOf(at), status="active" if invoice.paid_at else "past_due")
    return replace(account, subscriptions={SUBSCRIPTION: seen})


def fill(database_url: str, count: int, seed: int = 1) -> None:
    """Write them into the empty tables of a database, cases with the default policy included.

    Where they are many, on all cores, and every `CHUNK` of them from a seed of its own.
    """
    dsn = for_asyncpg(database_url)
    firsts = range(0, count, CHUNK)
    chunks = [(dsn, min(CHUNK, count - first), seed + turn, first) for turn, first in enumerate(firsts)]
    if len(chunks) == 1:
        _write(*chunks[0])
    else:
        # Ctrl-C is for the suite alone, which then ends them.
        ignore = (signal.SIGINT, signal.SIG_IGN)
        with get_context("spawn").Pool(os.cpu_count(), signal.signal, ignore) as pool:
            pool.starmap(_write, chunks, chunksize=1)
    asyncio.run(_execute(dsn, "ANALYZE"))


def _write(dsn: str, count: int, seed: int, first: int) -> None:
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("customers", "subscriptions", "invoices", "charges", "cases")
    }
    for number, account in enumerate(accounts(count, seed, first), start=first + 1):
        _collect(rows, number, account)
    asyncio.run(_copy_all(dsn, rows))


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _copy_all(dsn: str, rows: dict[str, list[dict[str, Any]]]) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for table, found in rows.items():
            await _copy(connection, table, found)
    finally:
        await connection.close()


def _collect(rows: dict[str, list[dict[str, Any]]], number: int, account: Account) -> None:
    customer = columns(account.customer)
    rows["customers"].append(
        customer | {"id": number, "source": account.source, "metadata": json.dumps(customer["metadata"])}
    )
    owner = {"customer_id": number}
    rows["subscriptions"] += [columns(each) | owner for each in account.subscriptions.values()]
    rows["invoices"] += [columns(each) | owner for each in account.invoices.values()]
    rows["charges"] += [asdict(each) | owner for each in account.charges.values()]
    for case in settle(account, _book()).cases.values():
        values = asdict(replace(case, policy=None)) | {"outcome": case.outcome and case.outcome.value}
        rows["cases"].append(values | owner | {"policy": _text(case.policy.key) if case.policy else None})


@cache
def _book() -> Any:
    return default_book(Policy(key="bench/base"))


@cache
def _text(key: str) -> str:
    book = _book()
    policies = {each.key: each for each in (book.base, *(segment.policy for segment in book.segments))}
    return str(policies[key].model_dump_json())


async def _copy(connection: Any, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        names = list(rows[0])
        await connection.copy_records_to_table(
            table, columns=names, records=[tuple(row[name] for name in names) for row in rows]
        )
