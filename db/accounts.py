"""Accounts in tables: many are loaded with their history in a fixed number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    RowMapping,
    Select,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import batch
from db.mapping import case_from, chosen, customer_from, instruction_from, observed
from db.models import (
    access,
    cases,
    charges,
    customers,
    instructions,
    invoices,
    mail_results,
    methods,
    outbox,
    subscriptions,
    test_clocks,
)
from db.words import meaning
from dunning.account import Account, Case, Charge, Customer, Invoice, Method, Subscription
from dunning.instructions import Instruction
from dunning.results import Result
from dunning.steps import Effect, Kind
from dunning.values import lean

T = TypeVar("T")

# Built once, and with arrays instead of lists of parameters: to build and compile a statement costs more than
# to run it, and a list of another length is another statement.
_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_ENSURE = batch.inserting(customers, ("source", "ref")).on_conflict_do_nothing()
_PAIRS = (
    func.unnest(bindparam("sources", type_=ARRAY(Text)), bindparam("refs", type_=ARRAY(Text)))
    .table_valued("source", "ref", name="pairs")
    .render_derived()
)
_KNOWN = select(customers.c.id, customers.c.source, customers.c.ref).join(
    _PAIRS, and_(customers.c.source == _PAIRS.c.source, customers.c.ref == _PAIRS.c.ref)
)
_OWNERS = (
    select(customers.c.id, customers.c.source, *chosen(Customer, customers))
    .where(customers.c.id == any_(_IDS))
    .order_by(customers.c.id)
)
# In id order, so that two batches with common customers wait for each other and never deadlock.
_LOCKED_OWNERS = _OWNERS.with_for_update()
_PAID_SINCE = exists().where(
    cases.c.customer_id == invoices.c.customer_id,
    cases.c.subscription == invoices.c.subscription,
    or_(
        and_(cases.c.closed_at.is_(None), cases.c.opened_at < invoices.c.paid_at),
        cases.c.closed_at == invoices.c.paid_at,
    ),
)


def _of(kind: type[Any], table: Table, *before: ColumnElement[Any]) -> Select[Any]:
    """The customer, what comes `before` a value, and the value's own columns."""
    owner = table.c.customer_id
    return select(owner, *before, *chosen(kind, table)).where(owner == any_(_IDS))


_SUBSCRIPTIONS = _of(Subscription, subscriptions, subscriptions.c.due_at)
_INVOICES = _of(Invoice, invoices).where(
    or_(
        invoices.c.failed_at.is_not(None),
        invoices.c.ref == any_(bindparam("also", type_=ARRAY(Text))),
        _PAID_SINCE,
    )
)
_CHARGES = _of(Charge, charges)
_METHODS = _of(Method, methods)
_CASES = _of(Case, cases, cases.c.due_at)
_INSTRUCTIONS = _of(Instruction, instructions).order_by(instructions.c.id)
_ACCESS = select(access).where(access.c.customer_id == any_(_IDS))
_TOLD = ("customer_id", "kind", "step", "name", "case", "status", "created_at", "accepted_at", "recipient")
_HISTORY = (
    select(
        *(outbox.c[name] for name in _TOLD),
        mail_results.c.kind.label("result"),
        mail_results.c.at.label("told_at"),
    )
    .outerjoin(mail_results, mail_results.c.outbox_id == outbox.c.id)
    .where(outbox.c.customer_id == any_(_IDS))
    .order_by(outbox.c.id)
)


@lean
@dataclass(frozen=True, slots=True)
class Loaded:
    """An account with what was done for it. `clock` is its test clock's time; None: the wall clock.

    `due` is when each case wants attention, by invoice, and each upcoming renewal, by subscription. `access`
    is the row of what was last decided; None: nothing was.
    """

    id: int
    account: Account
    history: Mapping[str, Effect] = field(default_factory=dict)
    due: Mapping[str, datetime | None] = field(default_factory=dict)
    clock: datetime | None = None
    access: RowMapping | None = None


async def ensure(
    connection: AsyncConnection, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Row ids of (source, customer) pairs, making rows for customers nobody has heard of yet."""
    if not keys:
        return {}
    rows = [{"source": source, "ref": ref} for source, ref in sorted(set(keys))]
    await connection.execute(_ENSURE, batch.columns_of(rows))
    return await known(connection, keys)


async def known(connection: AsyncConnection, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Row ids of those (source, customer) pairs that somebody has heard of."""
    if not keys:
        return {}
    sources, refs = zip(*sorted(set(keys)), strict=True)
    found = await connection.execute(_KNOWN, {"sources": list(sources), "refs": list(refs)})
    return {(row.source, row.ref): row.id for row in found}


async def load(
    connection: AsyncConnection,
    ids: Sequence[int],
    *,
    also_invoices: Collection[str] = (),
    lock: bool = False,
    facts_only: bool = False,
) -> dict[int, Loaded]:
    """Accounts by row id. With `lock`, nobody else folds or decides for them until the transaction ends.

    With `facts_only`, without what was decided: cases and history stay empty.

    Invoices that never failed are left out, except `also_invoices` and those whose payment may end, or has
    ended, a case of the same subscription.
    """
    owners = {
        row_id: (source, customer_from(values))
        for row_id, source, *values in await _rows(connection, _LOCKED_OWNERS if lock else _OWNERS, ids)
    }
    subscription_rows = await _rows(connection, _SUBSCRIPTIONS, ids)
    subscriptions_of = _by_ref(subscription_rows, partial(observed, Subscription), 2)
    invoice_rows = await _rows(connection, _INVOICES, ids, also=list(also_invoices))
    invoices_of = _by_ref(invoice_rows, partial(observed, Invoice))
    charges_of = _by_ref(await _rows(connection, _CHARGES, ids), lambda values: Charge(*values))
    methods_of = _by_ref(await _rows(connection, _METHODS, ids), partial(observed, Method))
    case_rows = [] if facts_only else await _rows(connection, _CASES, ids)
    cases_of = _by_ref(case_rows, case_from, 2)
    due_of: dict[int, dict[str, datetime | None]] = defaultdict(dict)
    for owner, due_at, ref, *_ in chain(case_rows, subscription_rows):
        due_of[owner][ref] = due_at
    access_rows = [] if facts_only else await _rows(connection, _ACCESS, ids)
    access_of = {row.customer_id: row._mapping for row in access_rows}
    instructions_of: dict[int, list[Instruction]] = defaultdict(list)
    for owner, *values in await _rows(connection, _INSTRUCTIONS, ids):
        instructions_of[owner].append(instruction_from(values))
    history_of = {} if facts_only else await _history(connection, ids)
    clocks = await _clocks(connection, owners.values())
    return {
        row_id: Loaded(
            id=row_id,
            account=Account(
                source=source,
                customer=customer,
                subscriptions=MappingProxyType(subscriptions_of[row_id]),
                invoices=MappingProxyType(invoices_of[row_id]),
                charges=MappingProxyType(charges_of[row_id]),
                methods=MappingProxyType(methods_of[row_id]),
                cases=MappingProxyType(cases_of[row_id]),
                instructions=tuple(instructions_of[row_id]),
            ),
            history=history_of.get(row_id, {}),
            due=due_of[row_id],
            clock=clocks.get((source, customer.test_clock)),
            access=access_of.get(row_id),
        )
        for row_id, (source, customer) in owners.items()
    }


async def _rows(
    connection: AsyncConnection, statement: Select[Any], ids: Sequence[int], **parameters: Any
) -> list[Any]:
    # All at once: to ask for one after the other costs as much again.
    return list((await connection.execute(statement, {"ids": ids} | parameters)).all())


def _by_ref(
    rows: Iterable[Sequence[Any]], make: Callable[[Sequence[Any]], T], first: int = 1
) -> dict[int, dict[str, T]]:
    """Values by customer and by their reference, which is the first of their columns."""
    grouped: dict[int, dict[str, T]] = defaultdict(dict)
    for row in rows:
        grouped[row[0]][row[first]] = make(row[first:])
    return grouped


async def _history(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, dict[str, Effect]]:
    grouped: dict[int, dict[str, Effect]] = defaultdict(dict)
    for owner, kind, key, *values, result, told_at in await _rows(connection, _HISTORY, ids):
        known = grouped[owner]
        effect = Effect(key, meaning(Kind, kind), *values)
        if result:
            # One row a result, and of each mail they follow one another.
            before = known[key] if key in known and effect.kind is Kind.MAIL else effect
            effect = before.after(meaning(Result, result), told_at)
        known[key] = effect
    return grouped


async def _clocks(
    connection: AsyncConnection, owners: Iterable[tuple[str, Customer]]
) -> dict[tuple[str, str | None], datetime]:
    keys = {(source, customer.test_clock) for source, customer in owners if customer.test_clock}
    if not keys:
        return {}
    rows = await connection.execute(
        select(test_clocks).where(tuple_(test_clocks.c.source, test_clocks.c.ref).in_(keys))
    )
    return {(row.source, row.ref): row.reached for row in rows}


async def move_clocks(connection: AsyncConnection, moves: Mapping[tuple[str, str], datetime]) -> None:
    """Test clocks have reached these times; a clock never goes back."""
    for (source, ref), reached in sorted(moves.items()):
        statement = insert(test_clocks).values(source=source, ref=ref, reached=reached)
        later = func.greatest(test_clocks.c.reached, statement.excluded.reached)
        await connection.execute(
            statement.on_conflict_do_update(index_elements=["source", "ref"], set_={"reached": later})
        )


async def clock_of(connection: AsyncConnection, source: str, ref: str) -> datetime | None:
    """What time it is on a test clock, or None when it has not been heard of."""
    rows = await connection.execute(
        select(test_clocks.c.reached).where(test_clocks.c.source == source, test_clocks.c.ref == ref)
    )
    return rows.scalar_one_or_none()


_LOOK_AGAIN = (
    update(cases)
    .where(cases.c.customer_id == bindparam("owner"), cases.c.invoice == bindparam("of"))
    .values(due_at=bindparam("at"), swept_at=None)
)


async def look_again(connection: AsyncConnection, looks: Iterable[tuple[int, str, datetime]]) -> None:
    """Cases (customer row id, invoice) want attention at a time, whatever their plan says."""
    rows = [{"owner": owner, "of": invoice, "at": at} for owner, invoice, at in sorted(looks)]
    if rows:
        await connection.execute(_LOOK_AGAIN, rows)


async def due_on_clocks(connection: AsyncConnection, clocks: Collection[tuple[str, str]]) -> list[int]:
    """Customers on these test clocks with a case or a renewal that their clock has made due."""
    found: set[int] = set()
    for table in (cases, subscriptions) if clocks else ():
        rows = await connection.execute(
            select(table.c.customer_id)
            .distinct()
            .join(customers, customers.c.id == table.c.customer_id)
            .join(
                test_clocks,
                and_(test_clocks.c.source == customers.c.source, test_clocks.c.ref == table.c.test_clock),
            )
            .where(tuple_(test_clocks.c.source, test_clocks.c.ref).in_(list(clocks)))
            .where(table.c.due_at <= test_clocks.c.reached)
        )
        found |= {row.customer_id for row in rows}
    return sorted(found)


async def accounts_of(connection: AsyncConnection, family: str) -> list[str]:
    """The sources of further accounts of a billing system ("stripe:acct_1") that have customers here."""
    theirs = customers.c.source.startswith(f"{family}:", autoescape=True)
    rows = await connection.execute(select(customers.c.source).where(theirs).distinct())
    return sorted(row.source for row in rows)
