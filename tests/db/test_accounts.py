"""Accounts in tables: what is saved is what is loaded, for many customers at once, and under locks."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import accounts, changes, endings, outbox
from db.accounts import Loaded
from db.changes import Change
from db.models import cases, customers, instructions, invoices
from db.models import subscriptions as subscriptions_table
from db.outbox import NewEffect
from dunning.account import Account, Case, Charge, Customer, Invoice, Method, Outcome, Subscription
from dunning.events import AsOf
from dunning.fold import empty
from dunning.hours import parse_hours
from dunning.instructions import Instruction, Verb
from dunning.ladders import Ladder, RetrySchedule
from dunning.policy import Policy
from dunning.steps import Kind
from tests.db.conftest import Database
from tests.dunning.builders import account, day, failures, paid, subscription

AS_OF = AsOf(day(1), day(2) + timedelta(microseconds=123_456))

FULL_CUSTOMER = Customer(
    ref="cus_1",
    as_of=AS_OF,
    email="ada@customer.example",
    name="Ada \N{SNOWMAN}",
    locales=("de-AT", "en"),
    country="AT",
    metadata=(("crm", "4711"), ("tier", "gold")),
    payment_method="pm_2",
    test_clock="clock_1",
    deleted=True,
    method_changed_at=day(3),
    first_contact_at=day(3.5),
)
FULL_SUBSCRIPTION = Subscription(
    ref="sub_1",
    as_of=AS_OF,
    status="paused",
    plan="Team",
    product="prod_1",
    interval="month",
    cancel_at_period_end=True,
    period_end=day(30),
    trial_end=day(-60),
    ended_at=day(40),
    paused_for="final_payment_failure",
    ended_for="payment_failed",
    payment_method="pm_1",
    amount=2**33,
    currency="jpy",
    follows="sub_0",
    last_paid_at=day(5),
    good_at=day(6),
    nonpayment_at=day(7),
)
FULL_INVOICE = Invoice(
    ref="in_1",
    as_of=AS_OF,
    status="uncollectible",
    subscription="sub_1",
    billing_reason="subscription_cycle",
    collection_method="charge_automatically",
    number="A-0001",
    currency="jpy",
    amount_remaining=2**40,
    amount_paid=7,
    amount_due=2**41,
    amount_refunded=5,
    next_attempt_at=day(8),
    processing_since=day(8.5),
    pay_url="https://pay.acme.example/1",
    pay_url_at=day(8.6),
    paid_at=day(9),
    voided_at=day(10),
    written_off_at=day(11),
    failed_at=day(0),
    last_failed_at=day(4),
    attempt_count=5,
    ledger_attempt=4,
    counted=5,
    counted_at=day(4.5),
    action_required=True,
    reason_code="card_declined",
    reason_decline_code="do_not_honor",
    reason_method_type="card",
    no_method=True,
)
FULL_CHARGE = Charge(
    ref="ch_1",
    invoice="in_1",
    at=day(0),
    code="card_declined",
    decline_code="do_not_honor",
    outcome_reason="rule",
    advice_code="try_again_later",
    method_type="card",
    card_brand="visa",
    card_last4="4242",
    card_country="AT",
)
FULL_METHOD = Method(
    ref="pm_1",
    as_of=AS_OF,
    type="card",
    brand="visa",
    last4="4242",
    exp_month=4,
    exp_year=2027,
    country="AT",
    detached=True,
)
FULL_CASE = Case(
    invoice="in_1",
    subscription="sub_1",
    opened_at=day(0),
    grace=timedelta(days=14, seconds=1),
    closed_at=day(20),
    outcome=Outcome.PAID_AFTER_END,
    taken_at=day(14),
    taken_level="limited",
    taken_from="warned",
    limited_at=day(10),
    moved_at=day(9),
    taken_over_at=day(9.2),
    first_contact_at=day(9.4),
    policy=Policy(
        key="2026-03/annual",
        grace=timedelta(days=21),
        final_warnings=(timedelta(hours=96), timedelta(hours=24)),
        escalate_after=2,
        at_expiry="limited",
        mail_gap=timedelta(hours=36, minutes=30),
        limited_after=None,
        revocation_hours=parse_hours("mon,thu 10:00-11:30"),
        time_zone="Europe/Vienna",
        holidays=frozenset({date(2026, 12, 25), date(2026, 12, 26)}),
        high_value={"jpy": 70_000},
        ladder=Ladder(insufficient_funds=(timedelta(hours=36),), unknown=()),
        retries="worker",
        retry=RetrySchedule(insufficient_funds=(timedelta(days=3), "payday")),
    ),
)
FULL_INSTRUCTION = Instruction(
    verb=Verb.HAND_OVER,
    at=day(2),
    by="maria",
    why="she knows them \N{SNOWMAN}",
    case="in_1",
    until=day(9),
    span=timedelta(days=7, microseconds=1),
    to="sam",
)
FULL = Account(
    source="stripe",
    customer=FULL_CUSTOMER,
    subscriptions={"sub_1": FULL_SUBSCRIPTION},
    invoices={"in_1": FULL_INVOICE},
    charges={"ch_1": FULL_CHARGE},
    methods={"pm_1": FULL_METHOD},
    cases={"in_1": FULL_CASE},
    instructions=(FULL_INSTRUCTION, replace(FULL_INSTRUCTION, verb=Verb.RESUME, at=day(1))),
)


async def put(
    connection: AsyncConnection, known: Account, *, due: dict[str, Any] | None = None, ref: str = "cus_1"
) -> int:
    """Save an account with its cases and its newest instructions; its row id."""
    found = await accounts.ensure(connection, [(known.source, ref)])
    row_id = found[known.source, ref]
    before = (await accounts.load(connection, [row_id]))[row_id]
    await changes.save(connection, [Change(before, known, due or {})])
    for told in known.instructions[len(before.account.instructions) :]:
        row = {field.name: getattr(told, field.name) for field in fields(told)}
        await connection.execute(insert(instructions).values(row | {"customer_id": row_id}))
    return row_id


async def get(connection: AsyncConnection, row_id: int, **options: Any) -> Loaded:
    return (await accounts.load(connection, [row_id], **options))[row_id]


@pytest.mark.parametrize(
    "thing",
    [
        FULL_CUSTOMER,
        FULL_SUBSCRIPTION,
        FULL_INVOICE,
        FULL_CHARGE,
        FULL_METHOD,
        FULL_CASE,
        FULL_INSTRUCTION,
        FULL,
    ],
    ids=lambda x: type(x).__name__,
)
def test_the_full_account_leaves_nothing_out(thing: Any) -> None:
    """A new field has to be given a value here, and so is tried below."""
    for field in fields(thing):
        assert getattr(thing, field.name) not in (None, "", (), {}, 0, "unknown", "usd"), field.name


def test_every_field_comes_back(database: Database) -> None:
    """Micro-seconds, time zones, emoji, large amounts and lists included."""

    async def story(connection: AsyncConnection) -> Loaded:
        return await get(connection, await put(connection, FULL, due={"in_1": day(12), "sub_1": day(15)}))

    loaded = database.commit(story)
    assert loaded.account == FULL
    assert loaded.due == {"in_1": day(12), "sub_1": day(15)}
    assert loaded.history == {}
    assert repr(loaded.account.customer) == repr(FULL_CUSTOMER)


def test_an_account_of_nothing_comes_back(database: Database) -> None:
    """Somebody who was only ever named."""

    async def story(connection: AsyncConnection) -> Account:
        return (await get(connection, await put(connection, empty("stripe", "cus_1")))).account

    assert database.commit(story) == empty("stripe", "cus_1")


def test_the_emptiest_rows_come_back(database: Database) -> None:
    """Everything that may be null, is."""
    bare = Account(
        source="stripe",
        customer=Customer(ref="cus_1"),
        subscriptions={"sub_1": Subscription(ref="sub_1")},
        invoices={"in_1": Invoice(ref="in_1", failed_at=day(0))},
        charges={"ch_1": Charge(ref="ch_1", invoice="in_1", at=day(0))},
        methods={"pm_1": Method(ref="pm_1")},
        cases={"in_1": Case("in_1", "sub_1", day(0), timedelta(days=14))},
        instructions=(Instruction(Verb.STOP, day(0), "maria", "because"),),
    )

    async def story(connection: AsyncConnection) -> Account:
        return (await get(connection, await put(connection, bare))).account

    assert database.commit(story) == bare


def test_saving_twice_changes_nothing_and_saving_anew_overwrites(database: Database) -> None:
    """The rows are the account, not its history."""
    changed = replace(
        FULL,
        customer=replace(FULL_CUSTOMER, email=None, locales=()),
        subscriptions={"sub_1": replace(FULL_SUBSCRIPTION, status="active", plan=None)},
        invoices={"in_1": replace(FULL_INVOICE, attempt_count=6, next_attempt_at=None)},
        charges={"ch_1": replace(FULL_CHARGE, card_brand=None)},
        methods={"pm_1": replace(FULL_METHOD, exp_year=2030, detached=False)},
        cases={"in_1": replace(FULL_CASE, outcome=None, closed_at=None)},
    )

    async def story(connection: AsyncConnection) -> list[Account]:
        found = []
        for known in (FULL, FULL, changed, changed):
            found.append((await get(connection, await put(connection, known))).account)  # noqa: PERF401  # in order
        return found

    assert database.commit(story) == [FULL, FULL, changed, changed]


def test_invoices_that_never_failed_are_left_out(database: Database) -> None:
    """Tombstones of years of good payments are read only when they are spoken of."""
    known = replace(
        FULL, invoices={ref: Invoice(ref=ref, paid_at=day(-9)) for ref in ("in_7", "in_8")}, cases={}
    )

    async def story(connection: AsyncConnection) -> tuple[set[str], set[str]]:
        row_id = await put(connection, known)
        seldom = await get(connection, row_id)
        asked = await get(connection, row_id, also_invoices={"in_8"})
        return set(seldom.account.invoices), set(asked.account.invoices)

    assert database.commit(story) == (set(), {"in_8"})


def test_a_payment_that_may_end_a_case_or_has_ended_one_is_loaded(database: Database) -> None:
    """The later invoice that revives a subscription never failed itself; the receipt is about it."""
    known = account(
        failures(0),
        paid(-30, ref="in_before"),
        paid(30, ref="in_after"),
        paid(30, ref="in_elsewhere", subscription="sub_2"),
    )
    assert known.cases["in_1"].is_open
    closed = account(
        failures(0),
        paid(30, ref="in_after"),
        subscription(30, "active"),
        paid(60, ref="in_much_later"),
    )
    assert not closed.cases["in_1"].is_open

    async def story(connection: AsyncConnection) -> list[set[str]]:
        return [
            set((await get(connection, await put(connection, state))).account.invoices)
            for state in (known, closed)
        ]

    assert database.commit(story) == [{"in_1", "in_after"}] * 2


def test_class_30_sources_do_not_mix(database: Database) -> None:
    """The same id in two billing systems is two customers."""

    async def story(connection: AsyncConnection) -> dict[tuple[str, str], int]:
        return await accounts.ensure(
            connection, [("stripe", "cus_1"), ("commet", "cus_1"), ("stripe", "cus_1")]
        )

    found = database.commit(story)
    assert len(set(found.values())) == 2


def test_many_are_loaded_in_a_fixed_number_of_statements(database: Database) -> None:
    """Fifty accounts, each with its own things."""

    async def story(connection: AsyncConnection) -> dict[int, Loaded]:
        ids = []
        for number in range(50):
            ref = f"cus_{number}"
            known = replace(
                FULL,
                customer=replace(FULL_CUSTOMER, ref=ref),
                subscriptions={f"sub_{number}": replace(FULL_SUBSCRIPTION, ref=f"sub_{number}")},
                cases={},
            )
            ids.append(await put(connection, known, ref=ref))
        return await accounts.load(connection, ids)

    for number, loaded in enumerate(database.commit(story).values()):
        assert loaded.account.customer.ref == f"cus_{number}"
        assert list(loaded.account.subscriptions) == [f"sub_{number}"]


def test_nobody_is_loaded_for_nothing(database: Database) -> None:
    """No ids, unknown ids, no keys."""

    async def story(connection: AsyncConnection) -> list[Any]:
        return [
            await accounts.load(connection, []),
            await accounts.load(connection, [404]),
            await accounts.ensure(connection, []),
        ]

    assert database.commit(story) == [{}, {}, {}]


def test_the_history_is_loaded_by_step(database: Database) -> None:
    """With what the mail server said and when."""

    async def story(connection: AsyncConnection) -> Loaded:
        row_id = await put(connection, FULL)
        new = NewEffect(
            row_id, "in_1", "final_warning:in_1:72h", Kind.MAIL, "final_warning", "mail", "because", day(11)
        )
        (effect,) = await outbox.add(connection, [new])
        claim = await outbox.claim(connection, effect)
        assert claim is not None
        await endings.finish(connection, claim, "sent", accepted_at=day(11.5))
        return await get(connection, row_id)

    (effect,) = database.commit(story).history.values()
    assert (effect.key, effect.kind, effect.name, effect.case) == (
        "final_warning:in_1:72h",
        Kind.MAIL,
        "final_warning",
        "in_1",
    )
    assert (effect.status, effect.created_at, effect.accepted_at) == ("sent", day(11), day(11.5))


def test_a_customer_lives_by_their_test_clock(database: Database) -> None:
    """Which never goes back, and is the clock of their own source only."""

    async def story(connection: AsyncConnection) -> list[Any]:
        row_id = await put(connection, FULL)
        seen = [(await get(connection, row_id)).clock]
        for source, reached in (("commet", 9), ("stripe", 3), ("stripe", 5), ("stripe", 4)):
            await accounts.move_clocks(connection, {(source, "clock_1"): day(reached)})
            seen.append((await get(connection, row_id)).clock)
        return [*seen, await accounts.clock_of(connection, "stripe", "clock_2")]

    assert database.commit(story) == [None, None, day(3), day(5), day(5), None]


def test_who_is_due_when_a_clock_has_moved(database: Database) -> None:
    """Only customers on that clock whose time has come."""

    async def story(connection: AsyncConnection) -> list[list[int]]:
        row_id = await put(connection, FULL, due={"in_1": day(5)})
        found = []
        for reached in (4, 5):
            await accounts.move_clocks(connection, {("stripe", "clock_1"): day(reached)})
            found.append(await accounts.due_on_clocks(connection, [("stripe", "clock_1")]))
        found.append(await accounts.due_on_clocks(connection, [("stripe", "clock_2")]))
        found.append(await accounts.due_on_clocks(connection, []))
        assert row_id == 1
        return found

    assert database.commit(story) == [[], [1], [], []]


def test_a_case_may_be_told_to_look_again(database: Database) -> None:
    """Earlier than its plan says; other cases are left alone."""
    known = replace(FULL, cases={ref: replace(FULL_CASE, invoice=ref) for ref in ("in_1", "in_2")})

    async def story(connection: AsyncConnection) -> Any:
        row_id = await put(connection, known, due={"in_1": day(9), "in_2": day(9)})
        await accounts.look_again(connection, [(row_id, "in_1", day(3))])
        await accounts.look_again(connection, [])
        return (await get(connection, row_id)).due

    assert database.commit(story) == {"in_1": day(3), "in_2": day(9), "sub_1": None}


def test_a_case_that_did_not_change_is_not_written(database: Database) -> None:
    """Or the sweep's mark on it would be lost, and it would be handed out again at once."""

    async def story(connection: AsyncConnection) -> list[bool]:
        row_id = await put(connection, FULL, due={"in_1": day(9)})
        marks = []
        for due in (day(9), day(10)):
            await connection.execute(update(cases).values(swept_at=day(0)))
            await changes.save(connection, [Change(await get(connection, row_id), FULL, {"in_1": due})])
            marks.append((await connection.execute(select(cases.c.swept_at))).scalar_one() is not None)
        return marks

    assert database.commit(story) == [True, False]


def test_a_renewal_that_did_not_change_is_not_written(database: Database) -> None:
    """Or the sweep's mark on it would be lost, and it would be handed out again at once."""

    async def story(connection: AsyncConnection) -> list[bool]:
        row_id = await put(connection, FULL, due={"sub_1": day(9)})
        marks, table = [], subscriptions_table
        for due in (day(9), day(10)):
            await connection.execute(update(table).values(swept_at=day(0)))
            await changes.save(connection, [Change(await get(connection, row_id), FULL, {"sub_1": due})])
            marks.append((await connection.execute(select(table.c.swept_at))).scalar_one() is not None)
        return marks

    assert database.commit(story) == [True, False]


def test_a_subscription_that_is_saved_anew_keeps_its_next_notice(database: Database) -> None:
    """What is mirrored and what is planned are columns of one row, written by different statements."""
    renewed = replace(FULL, subscriptions={"sub_1": replace(FULL_SUBSCRIPTION, status="active")})

    async def story(connection: AsyncConnection) -> Any:
        row_id = await put(connection, FULL, due={"sub_1": day(9)})
        before = await get(connection, row_id)
        await changes.save(connection, [Change(before, renewed, before.due)])
        return (await get(connection, row_id)).due["sub_1"]

    assert database.commit(story) == day(9)


def test_a_renewal_is_due_when_its_clock_has_moved(database: Database) -> None:
    """Without a case, too."""
    known = replace(FULL, cases={})

    async def story(connection: AsyncConnection) -> list[list[int]]:
        await put(connection, known, due={"sub_1": day(5)})
        found = []
        for reached in (4, 5):
            await accounts.move_clocks(connection, {("stripe", "clock_1"): day(reached)})
            found.append(await accounts.due_on_clocks(connection, [("stripe", "clock_1")]))
        return found

    assert database.commit(story) == [[], [1]]


def test_class_7_ten_who_hear_of_a_customer_at_once_make_one_row(database: Database) -> None:
    """And all of them get its id."""
    keys = [("stripe", f"cus_{number}") for number in range(5)]

    async def hear(engine: AsyncEngine, mine: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
        async with engine.begin() as connection:
            return await accounts.ensure(connection, mine)

    async def story(engine: AsyncEngine) -> list[dict[tuple[str, str], int]]:
        orders = [keys if number % 2 else list(reversed(keys)) for number in range(10)]
        return list(await asyncio.gather(*(hear(engine, mine) for mine in orders)))

    found = database.play(story)
    assert all(each == found[0] for each in found)

    async def count(connection: AsyncConnection) -> int:
        return int((await connection.execute(select(func.count()).select_from(customers))).scalar_one())

    assert database.commit(count) == 5


def test_locks_are_taken_in_one_order(database: Database) -> None:
    """Two batches with the same customers, named in opposite orders, wait for each other: no deadlock."""

    async def fold(engine: AsyncEngine, ids: list[int]) -> None:
        async with engine.begin() as connection:
            await accounts.load(connection, ids, lock=True)
            await asyncio.sleep(0)
            for row_id in ids:
                values = {"name": str(row_id)}
                await connection.execute(update(customers).where(customers.c.id == row_id).values(values))

    async def story(engine: AsyncEngine) -> None:
        async with engine.begin() as connection:
            keys = [("stripe", f"cus_{number}") for number in range(8)]
            ids = sorted((await accounts.ensure(connection, keys)).values())
        await asyncio.gather(*(fold(engine, ids if number % 2 else ids[::-1]) for number in range(10)))

    database.play(story)


def test_a_locked_account_waits_for_nobody_to_read_it(database: Database) -> None:
    """Reading without `lock` is not held up; locking again is."""

    async def story(engine: AsyncEngine) -> str:
        async with engine.begin() as connection:
            row_id = (await accounts.ensure(connection, [("stripe", "cus_1")]))["stripe", "cus_1"]
        async with engine.begin() as mine, engine.connect() as other:
            await accounts.load(mine, [row_id], lock=True)
            await accounts.load(other, [row_id])
            await other.exec_driver_sql("SET lock_timeout = '50ms'")
            try:
                await accounts.load(other, [row_id], lock=True)
            except DBAPIError as error:
                return type(error.orig.__cause__).__name__ if error.orig else ""
        return "not locked"

    assert database.play(story) == "LockNotAvailableError"


def test_nothing_is_ever_deleted(database: Database) -> None:
    """An account that no longer names an invoice keeps its row."""

    async def story(connection: AsyncConnection) -> int:
        row_id = await put(connection, FULL)
        before = await get(connection, row_id)
        await changes.save(connection, [Change(before, replace(FULL, invoices={}))])
        return int((await connection.execute(select(func.count()).select_from(invoices))).scalar_one())

    assert database.commit(story) == 1
