"""F16: events are lost before the receiver, or were never made; reconciling finds all of it in one pass."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from time import perf_counter

from db import models
from dunning.account import PAYING
from providers.stripe.webhook import HANDLED
from sandbox.stripe.records import Customer, Event, Invoice, Subscription
from tests.chaos.conftest import Tell
from tests.scenarios.conftest import MakeWorld, empty_stage, in_background, make_world, stage
from tests.scenarios.world import START, World
from tests.worker.importing import SWITCHED_ON, crowded
from tests.worker.reconciling import compare, execute, fill
from worker.queues import EVENTS, MAIL, TEAM

__all__ = ["empty_stage", "in_background", "make_world", "stage"]

SHARE = 0.05
# As if everything there had been taken over on the first day: nobody is a stranger.
TAKEN_OVER = f"INSERT INTO imports (source, state, started_at) VALUES ('stripe', 'finished', '{START}')"  # noqa: S608  # a constant
# Customers in every kind of trouble; the long form has hundreds.
FEW, MANY = 12, 300
# Of one customer in four Stripe makes no event any more.
SILENT_FOR, SILENT = timedelta(days=40), 4


@dataclass(frozen=True)
class Lost:
    """On its way, and never made."""

    on_its_way: list[Event]
    never_made: list[Event]


def lived(world: World, customers: int, chance: Random) -> Lost:
    """Months of a business, of which not everything reaches us."""
    world.held = {MAIL, TEAM}
    crowded(world, customers, trouble=0.8)
    execute(world, TAKEN_OVER)
    events = [event for event in world.stripe.engine.events() if event.type in HANDLED]
    silent_from = (SWITCHED_ON - SILENT_FOR).timestamp()
    never = [event for event in events if event.created > silent_from and _number(event) % SILENT == 0]
    made = [event for event in events if event not in never]
    lost = [event for event in made if chance.random() < SHARE]
    kept = [event for event in made if event not in lost]
    for begin in range(0, len(kept), 200):
        world.deliver(kept[begin : begin + 200])
    forget(world, never)
    return Lost(lost, never)


def _number(event: Event) -> int:
    """A number that all events of a customer share."""
    owner = getattr(event.subject, "customer", None) or event.subject.id
    return sum(owner.encode())


def apply_all(world: World) -> None:
    """Workers apply what is in the inbox."""
    columns = models.inbox.c.id, models.inbox.c.status
    world.queue.append(
        (EVENTS, [row.id for row in world.rows(models.inbox, *columns) if row.status == "pending"])
    )
    world.run(world.drain())


def missing(world: World) -> int:
    """Events that Stripe tells of, that somebody here handles, and that are not here."""
    here = {row.event_id for row in world.rows(models.inbox, models.inbox.c.event_id)}
    return sum(event.type in HANDLED and event.id not in here for event in world.stripe.engine.events())


def applied_twice(world: World) -> int:
    """Events that stand in the story of one customer more than once."""
    columns = models.journal.c.customer_id, models.journal.c.kind, models.journal.c.data
    told = Counter(
        (row.customer_id, row.data["event"])
        for row in world.rows(models.journal, *columns)
        if row.kind == "event.applied"
    )
    return sum(many > 1 for many in told.values())


def wrong(world: World) -> list[str]:
    """Where what we hold is not what Stripe has: subscriptions, what is unpaid, and who is let in."""
    ledger = world.stripe.engine.ledger
    held = {row.ref: row.status for row in world.rows(models.subscriptions)}
    faults = [each.id for each in ledger.all(Subscription) if held.get(each.id) != each.status]
    unpaid = {row.ref for row in world.rows(models.invoices) if not (row.paid_at or row.voided_at)}
    cases = {row.invoice for row in world.rows(models.cases, models.cases.c.invoice)}
    faults += [
        each.id
        for each in ledger.all(Invoice)
        if each.id in cases and (each.status == "open") != (each.id in unpaid)
    ]
    owners = {row.id: row.ref for row in world.rows(models.customers)}
    let_in = {owners[row.customer_id] for row in world.rows(models.access) if row.level != "revoked"}
    for customer in ledger.all(Customer):
        theirs = [each.status for each in ledger.of(Subscription, customer.id)]
        paying = not customer.deleted and any(status in PAYING for status in theirs)
        if paying and customer.id not in let_in:
            faults.append(customer.id)
    return faults


def test_what_was_lost_or_never_made_is_found_in_one_pass(
    make_world: MakeWorld, tell: Tell, long: bool, seed: int
) -> None:
    """One in twenty events does not reach us, and of one customer in four Stripe makes none for weeks.

    Its list has the former, and a comparison finds what the others would have said. Then everything is as
    Stripe has it, and nothing differs any more.
    """
    chance = Random(seed)  # noqa: S311  # repeatable, not a secret
    world = make_world()
    lost = lived(world, MANY if long else FEW, chance)
    before = len(wrong(world))
    assert missing(world) == len(lost.on_its_way)
    began = perf_counter()
    filled = fill(world)["filled"]
    apply_all(world)
    after_events = {"lost": missing(world), "filled": filled, "wrong_state": len(wrong(world))}
    counts = compare(world)
    found, again = wrong(world), compare(world)["found"]
    tell(
        "F16",
        seed=seed,
        faults=len(lost.on_its_way),
        never_made=len(lost.never_made),
        wrong_before=before,
        filled=filled,
        lost=missing(world),
        wrong_after_events=after_events["wrong_state"],
        compared=counts["subscriptions"] + counts["invoices"] + counts["held"],
        repaired=counts.get("repaired", 0),
        wrong_state=len(found),
        found_again=again,
        applied_twice=applied_twice(world),
        settle_seconds=round(perf_counter() - began, 2),
    )
    assert (after_events["lost"], filled) == (0, len(lost.on_its_way))
    assert (found, again, applied_twice(world)) == ([], 0, 0)
    assert before > 0


def forget(world: World, events: list[Event]) -> None:
    """Stripe never made them."""
    ledger = world.stripe.engine.ledger
    with ledger.lock:
        for event in events:
            del ledger._objects[Event][event.id]
