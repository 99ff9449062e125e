"""Accounts in tables: load many with their history in a fixed number of statements, save what changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import RowMapping, Table, and_, exists, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.mapping import case_from, columns, instruction_from, observed, plain
from db.models import (
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
from dunning.account import Account, Charge, Customer, Invoice, Method, Subscription
from dunning.results import Result
from dunning.steps import Effect, Kind


@dataclass(frozen=True, slots=True)
class Loaded:
    """An account with what was done for it. `clock` is its test clock's time; None: the wall clock.

    `due` is when each case wants attention, by invoice, and each upcoming renewal, by subscription.
    """

    id: int
    account: Account
    history: Mapping[str, Effect] = field(default_factory=dict)
    due: Mapping[str, datetime | None] = field(default_factory=dict)
    clock: datetime | None = None


async def ensure(
    connection: AsyncConnection, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Row ids of (source, customer) pairs, making rows for customers nobody has heard of yet."""
    if not keys:
        return {}
    rows = [{"source": source, "ref": ref} for source, ref in sorted(set(keys))]
    await connection.execute(insert(customers).values(rows).on_conflict_do_nothing())
    return await known(connection, keys)


async def known(connection: AsyncConnection, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Row ids of those (source, customer) pairs that somebody has heard of."""
    if not keys:
        return {}
    found = await connection.execute(
        select(customers.c.id, customers.c.source, customers.c.ref).where(
            tuple_(customers.c.source, customers.c.ref).in_(list(keys))
        )
    )
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
    wanted = select(customers).where(customers.c.id.in_(ids)).order_by(customers.c.id)
    if lock:
        # In id order, so that two batches with common customers wait for each other and never deadlock.
        wanted = wanted.with_for_update()
    owners = (await connection.execute(wanted)).mappings().all()
    paid_since = exists().where(
        cases.c.customer_id == invoices.c.customer_id,
        cases.c.subscription == invoices.c.subscription,
        or_(
            and_(cases.c.closed_at.is_(None), cases.c.opened_at < invoices.c.paid_at),
            cases.c.closed_at == invoices.c.paid_at,
        ),
    )
    wanted_invoices = or_(
        invoices.c.failed_at.is_not(None), invoices.c.ref.in_(list(also_invoices)), paid_since
    )
    invoice_rows = await _of(connection, invoices, ids, wanted_invoices)
    subscription_rows = await _of(connection, subscriptions, ids)
    charge_rows = await _of(connection, charges, ids)
    method_rows = await _of(connection, methods, ids)
    case_rows = {row_id: [] for row_id in ids} if facts_only else await _of(connection, cases, ids)
    instruction_rows = await _of(connection, instructions, ids)
    history = await _history(connection, [] if facts_only else ids)
    clocks = await _clocks(connection, owners)
    return {
        owner["id"]: Loaded(
            id=owner["id"],
            account=Account(
                source=owner["source"],
                customer=observed(Customer, owner),
                subscriptions=_by_ref(observed(Subscription, row) for row in subscription_rows[owner["id"]]),
                invoices=_by_ref(observed(Invoice, row) for row in invoice_rows[owner["id"]]),
                charges=_by_ref(plain(Charge, row) for row in charge_rows[owner["id"]]),
                methods=_by_ref(observed(Method, row) for row in method_rows[owner["id"]]),
                cases=MappingProxyType({row["invoice"]: case_from(row) for row in case_rows[owner["id"]]}),
                instructions=tuple(
                    instruction_from(row)
                    for row in sorted(instruction_rows[owner["id"]], key=lambda row: row["id"])
                ),
            ),
            history=history.get(owner["id"], {}),
            due={row["invoice"]: row["due_at"] for row in case_rows[owner["id"]]}
            | {row["ref"]: row["due_at"] for row in subscription_rows[owner["id"]]},
            clock=clocks.get((owner["source"], owner["test_clock"])),
        )
        for owner in owners
    }


def _by_ref(things: Iterable[Any]) -> Mapping[str, Any]:
    return MappingProxyType({thing.ref: thing for thing in things})


async def _of(
    connection: AsyncConnection, table: Table, ids: Sequence[int], *conditions: Any
) -> dict[int, list[RowMapping]]:
    rows = await connection.execute(select(table).where(and_(table.c.customer_id.in_(ids), *conditions)))
    grouped: dict[int, list[RowMapping]] = {customer_id: [] for customer_id in ids}
    for row in rows.mappings():
        grouped[row["customer_id"]].append(row)
    return grouped


async def _history(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, dict[str, Effect]]:
    names = (
        "customer_id",
        "step",
        "kind",
        "name",
        "case",
        "status",
        "created_at",
        "accepted_at",
        "recipient",
    )
    told = (mail_results.c.kind.label("result"), mail_results.c.at.label("told_at"))
    rows = await connection.execute(
        select(*(outbox.c[name] for name in names), *told)
        .outerjoin(mail_results, mail_results.c.outbox_id == outbox.c.id)
        .where(outbox.c.customer_id.in_(ids))
        .order_by(outbox.c.id)
    )
    grouped: dict[int, dict[str, Effect]] = {customer_id: {} for customer_id in ids}
    for row in rows.mappings():
        known, key = grouped[row["customer_id"]], row["step"]
        effect = Effect(
            key=key,
            kind=meaning(Kind, row["kind"]),
            name=row["name"],
            case=row["case"],
            status=row["status"],
            created_at=row["created_at"],
            accepted_at=row["accepted_at"],
            recipient=row["recipient"],
        )
        if row["result"]:
            # One row a result, and of each mail they follow one another.
            before = known[key] if key in known and effect.kind is Kind.MAIL else effect
            effect = before.after(meaning(Result, row["result"]), row["told_at"])
        known[key] = effect
    return grouped


async def _clocks(
    connection: AsyncConnection, owners: Sequence[RowMapping]
) -> dict[tuple[str, str | None], datetime]:
    keys = {(owner["source"], owner["test_clock"]) for owner in owners if owner["test_clock"]}
    if not keys:
        return {}
    rows = await connection.execute(
        select(test_clocks).where(tuple_(test_clocks.c.source, test_clocks.c.ref).in_(keys))
    )
    return {(row.source, row.ref): row.reached for row in rows}


async def save(
    connection: AsyncConnection,
    customer_id: int,
    before: Account,
    after: Account,
    *,
    heard_late: bool = False,
) -> None:
    """Write what the fold changed: the customer and each subscription, invoice, method and charge.

    `heard_late`: charges count as heard of when they failed, so that nobody takes them for a surge of now.
    """
    if after.customer != before.customer:
        values = columns(after.customer)
        await connection.execute(update(customers).where(customers.c.id == customer_id).values(values))
    for table, old, new in (
        (subscriptions, before.subscriptions, after.subscriptions),
        (invoices, before.invoices, after.invoices),
        (methods, before.methods, after.methods),
    ):
        changed = [columns(thing) for ref, thing in new.items() if old.get(ref) != thing]
        await upsert(connection, table, [row | {"customer_id": customer_id} for row in changed])
    charged = [asdict(charge) for ref, charge in after.charges.items() if before.charges.get(ref) != charge]
    if heard_late:
        charged = [row | {"recorded_at": row["at"]} for row in charged]
    await upsert(connection, charges, [row | {"customer_id": customer_id} for row in charged])


async def save_cases(
    connection: AsyncConnection, loaded: Loaded, after: Account, due: Mapping[str, datetime | None]
) -> None:
    """Write cases that changed or are due at another time than before."""
    rows = [
        asdict(case)
        | {
            "customer_id": loaded.id,
            "outcome": case.outcome and case.outcome.value,
            "policy": case.policy and case.policy.model_dump(mode="json"),
            "test_clock": after.customer.test_clock,
            "due_at": due.get(ref),
            "swept_at": None,
        }
        for ref, case in after.cases.items()
        if loaded.account.cases.get(ref) != case
        or loaded.due.get(ref) != due.get(ref)
        or loaded.account.customer.test_clock != after.customer.test_clock
    ]
    await upsert(connection, cases, rows)


async def save_renewals(
    connection: AsyncConnection, loaded: Loaded, after: Account, due: Mapping[str, datetime | None]
) -> None:
    """Write when the next notice of each upcoming renewal is due, where that has changed."""
    clock = after.customer.test_clock
    for ref, due_at in due.items():
        if loaded.due.get(ref) != due_at or loaded.account.customer.test_clock != clock:
            await connection.execute(
                update(subscriptions)
                .where(subscriptions.c.customer_id == loaded.id, subscriptions.c.ref == ref)
                .values(due_at=due_at, test_clock=clock, swept_at=None)
            )


async def upsert(connection: AsyncConnection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, or overwrite those with the same primary key."""
    if rows:
        await connection.execute(_upsert(table, tuple(rows[0])), rows)


@cache
def _upsert(table: Table, names: tuple[str, ...]) -> Insert:
    """Built once for the same columns: to build and compile it costs more than to run it."""
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    changes = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)


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


async def look_again(
    connection: AsyncConnection, customer_id: int, invoice_refs: Sequence[str], at: datetime
) -> None:
    """These cases want attention at `at`, whatever their plan says."""
    if invoice_refs:
        await connection.execute(
            update(cases)
            .where(cases.c.customer_id == customer_id, cases.c.invoice.in_(invoice_refs))
            .values(due_at=at, swept_at=None)
        )


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
