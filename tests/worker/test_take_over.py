"""A running business is taken over: everybody at once, nobody in a flood, and nothing twice."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil

from sqlalchemy import update

from db import imports, models
from db.breaker import failures
from dunning.breaker import Failures, Limits
from dunning.policy import Policy
from providers.stripe.listing import Listed
from sandbox.stripe import Card, custom_schedule
from sandbox.stripe.api.faults import Fault
from sandbox.stripe.records import Charge, Customer, Invoice, Subscription
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.world import START, World
from tests.worker.importing import SWITCHED_ON, crowded, days, kept, listing_of, take_over
from worker.importing import pages, stages
from worker.usecases.take_over import take_over_page


def engine_cases(world: World) -> dict[str, datetime]:
    """What Stripe would call unpaid renewals, by invoice, with their first failed charge."""
    engine = world.stripe.engine
    found: dict[str, datetime] = {}
    for charge in engine.ledger.all(Charge):
        invoice = engine.get(Invoice, charge.invoice)
        if invoice.status == "open" and charge.decline:
            at = datetime.fromtimestamp(charge.created, UTC)
            found[invoice.id] = min(at, found.get(invoice.id, at))
    return found


def test_a_whole_business_is_taken_over(make_world: MakeWorld) -> None:
    """Three hundred subscriptions in every state: access for everybody, a case for each failed renewal."""
    world = make_world(policy=Policy())
    bought = crowded(world, 300)
    done = take_over(world)
    assert (done.state, done.counts["subscriptions"]) == ("finished", len(bought))
    engine = world.stripe.engine

    levels = {ref: level for ref, (level, _) in access(world).items()}
    by_customer: dict[str, set[str]] = {}
    for each in bought:
        by_customer.setdefault(each.customer, set()).add(engine.refresh(each).status)
    for customer, statuses in by_customer.items():
        expected = {"full", "warned"} if statuses & {"active", "trialing", "past_due"} else {"revoked"}
        assert levels[customer] in expected, statuses

    cases = {row.invoice: row for row in world.rows(models.cases)}
    debits = {each.invoice for each in engine.ledger.all(Charge) if each.payment_method.card.type != "card"}
    for invoice, failed_at in engine_cases(world).items():
        if invoice not in debits and engine.get(Invoice, invoice).collection_method != "send_invoice":
            assert cases[invoice].opened_at == failed_at
    for row in cases.values():
        subscription = engine.get(Subscription, row.subscription)
        over = (
            subscription.ended
            or subscription.status == "unpaid"
            or str(subscription.paused_for).endswith("failure")
        )
        assert (row.first_contact_at is None) == over
        assert subscription.collection_method != "send_invoice"
    assert world.rows(models.outbox) == []

    [call] = world.rows(models.alarms)
    running = sum(row.first_contact_at is not None for row in cases.values())
    assert (call.kind, call.facts["cases"]) == ("import", running)

    before = kept(world)
    take_over(world)
    assert kept(world) == before, "a second import changed something"


def test_first_mails_come_over_three_days(make_world: MakeWorld) -> None:
    """No day has most of the first mails, and nobody hears twice within two days."""
    world = make_world(policy=Policy())
    crowded(world, 60, trouble=0.9)
    take_over(world)
    for step in range(1, 13):
        world.advance(None, SWITCHED_ON + days(step / 4))
    mails: dict[int, list[datetime]] = {}
    for row in world.rows(models.outbox):
        if row.kind == "mail":
            mails.setdefault(row.customer_id, []).append(row.created_at)
    assert len(world.inbox.messages) >= len(mails) > 15
    by_day = Counter(ceil((min(times) - SWITCHED_ON) / days(1)) for times in mails.values())
    assert by_day.keys() == {1, 2, 3}
    assert max(by_day.values()) < len(mails) * 0.6
    for times in mails.values():
        assert all(after - before >= days(2) for before, after in pairwise(sorted(times)))


def test_old_failures_are_no_surge(make_world: MakeWorld) -> None:
    """The breaker counts by when a charge failed, not by when the import has read of it."""
    world = make_world(policy=Policy())
    crowded(world, 60, trouble=0.9)
    take_over(world)
    assert len(world.rows(models.charges)) > Limits().surge_floor

    async def counted() -> Failures:
        async with world.services.engine.begin() as connection:
            return await failures(connection)

    assert world.run(counted()).hour == 0


def past_due(world: World) -> list[Subscription]:
    found = [each for each in world.stripe.engine.ledger.all(Subscription) if each.status == "past_due"]
    return [each for each in found if each.collection_method != "send_invoice"]


def test_what_happens_while_it_runs_is_told_by_events(make_world: MakeWorld) -> None:
    """Between two stages one pays, one cancels, one subscribes: each stands in the end as Stripe has it."""
    world = make_world(policy=Policy())
    crowded(world, 60)
    engine = world.stripe.engine
    payer, quitter = past_due(world)[:2]
    happened = False

    def meanwhile(stage: str) -> None:
        nonlocal happened
        if stage != "subscriptions" or happened:
            return
        happened = True
        engine.pay_invoice(engine.latest_invoice(payer), card=Card())
        engine.cancel(quitter)
        newcomer = engine.create_customer("new@crowd.example", card=Card())
        engine.create_subscription(newcomer, engine.create_price())

    take_over(world, between=meanwhile)
    assert happened
    world.settle()
    levels = access(world)
    assert levels[payer.customer] == ("full", "good_standing")
    assert levels[quitter.customer] == ("revoked", "canceled")
    assert levels[engine.ledger.all(Customer)[-1].id] == ("full", "good_standing")
    told = {mail.recipients[0] for mail in world.inbox.messages}
    assert engine.get(Customer, payer.customer).email not in told


def test_an_older_reading_changes_nothing(make_world: MakeWorld) -> None:
    """All pages were read before events told of a payment and a cancellation, and are applied after them."""
    world = make_world(policy=Policy())
    crowded(world, 60)
    engine = world.stripe.engine

    async def read() -> list[tuple[str, Listed]]:
        listing = listing_of(world)
        return [
            (stage.name, page)
            for stage in await stages(listing, livemode=False)
            async for page in pages(stage, None)
        ]

    listed = world.run(read())
    payer, quitter = past_due(world)[:2]
    world.now += days(0.01)
    engine.advance(None, world.now)
    engine.pay_invoice(engine.latest_invoice(payer), card=Card())
    engine.cancel(quitter)
    world.settle()
    before = {ref: level for ref, level in access(world).items() if ref in (payer.customer, quitter.customer)}

    async def apply() -> None:
        async with world.services.engine.begin() as connection:
            run = await imports.begin(connection, "stripe")
        for stage, page in listed:
            run = await take_over_page(world.services, run, stage, page)

    world.run(apply())
    after = access(world)
    assert {ref: after[ref] for ref in before} == before
    assert before[payer.customer] == ("full", "good_standing")


def test_an_event_that_overtakes_it_mails_nobody(make_world: MakeWorld) -> None:
    """A retry fails while the import is at its first page: its case waits for its turn like all others."""
    world = make_world(policy=Policy())
    crowded(world, 60)
    engine = world.stripe.engine
    early = past_due(world)[0]

    def meanwhile(stage: str) -> None:
        if stage == "subscriptions":
            engine.pay_invoice(engine.latest_invoice(early))

    async def first() -> None:
        async with world.services.engine.begin() as connection:
            await imports.begin(connection, "stripe")
            began_at = update(models.imports).values(started_at=world.now)
            await connection.execute(began_at)

    world.run(first())
    meanwhile("subscriptions")
    world.settle()
    [case] = [row for row in world.rows(models.cases) if row.subscription == early.id]
    assert case.taken_over_at == world.now
    assert case.first_contact_at >= world.now
    assert world.rows(models.outbox) == []


def test_customers_on_test_clocks_are_taken_over_at_their_own_time(make_world: MakeWorld) -> None:
    """A clock stands months ahead: the case is dated, and its first mail spread, by that time."""
    world = make_world(policy=Policy())
    engine = world.stripe.engine
    clock = engine.create_clock(START)
    customer = engine.create_customer(
        "a@clock.example", clock=clock, card=Card(outcomes=["ok", "do_not_honor"])
    )
    engine.create_subscription(customer, engine.create_price(), policy=custom_schedule(3, at_end="past_due"))
    engine.advance(clock, START + days(40))
    world.hear()
    take_over(world)
    [case] = world.rows(models.cases)
    assert case.opened_at == START + days(31) + timedelta(hours=1)
    assert case.taken_over_at == START + days(40)
    assert START + days(40) <= case.first_contact_at < START + days(43)


def test_it_is_slower_when_stripe_says_so(make_world: MakeWorld) -> None:
    """Some reads are refused for their number, some fail: each is asked again, and nothing is missed."""
    world = make_world(policy=Policy())
    bought = crowded(world, 60)
    world.stripe.faults.add(Fault(match="GET /v1/invoices", times=2, status=429, retry_after=0))
    world.stripe.faults.add(Fault(match="GET /v1/subscriptions", times=2, status=503))
    done = take_over(world)
    assert done.counts["subscriptions"] == len(bought)
    assert {row.invoice for row in world.rows(models.cases)} >= engine_cases(world).keys() - by_hand(world)


def by_hand(world: World) -> set[str]:
    """Invoices that are sent for payment by hand."""
    every = world.stripe.engine.ledger.all(Invoice)
    return {each.id for each in every if each.collection_method == "send_invoice"}


def access(world: World) -> dict[str, tuple[str, str]]:
    """(level, reason) of each customer."""
    joined = models.access.join(models.customers)
    rows = world.rows(joined, models.customers.c.ref, models.access.c.level, models.access.c.reason)
    return {row.ref: (row.level, row.reason) for row in rows}
