"""Customers who are done together: each gets what is theirs, and as many of them cost no more statements."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from sqlalchemy import event

from db import models
from sandbox.stripe import Card, Fault, custom_schedule
from tests.scenarios.story import RENEWAL, Story, subscriber
from tests.scenarios.world import World
from tests.worker.test_apply_events import keep
from worker.usecases.advance_cases import advance_cases
from worker.usecases.apply_events import apply_events

LEFT_TO_US = custom_schedule(3, at_end="past_due")
END = RENEWAL + timedelta(days=14)


def statements(world: World, step: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """How many statements PostgreSQL was sent meanwhile."""
    sent: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)

    engine = world.services.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        world.run(step())
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(sent)


def test_the_events_of_many_customers_cost_the_statements_of_one(world: World) -> None:
    """Each tells of a first failure: a case, a mail, access and a journal."""
    for number in range(6):
        subscriber(world, "insufficient_funds", wall=True, email=f"c{number}@customer.example")
    world.stripe.engine.advance(None, RENEWAL)
    world.now = RENEWAL
    one, *five = keep(world, [each for each in world.hear() if each.type == "invoice.payment_failed"])
    alone = statements(world, lambda: apply_events(world.services, [one]))
    together = statements(world, lambda: apply_events(world.services, five))
    assert len(world.rows(models.cases)) == 6
    assert len(world.rows(models.outbox)) == 6
    assert alone == together


def test_each_of_a_batch_gets_what_is_theirs(world: World) -> None:
    """One has paid meanwhile, one cannot be asked about, one is unknown, one loses access; and all again."""
    people = [
        subscriber(
            world, "insufficient_funds", wall=True, retries=LEFT_TO_US, email=f"c{number}@customer.example"
        )
        for number in range(4)
    ]
    for day in (0, 11, 13.9):
        for story in people:
            story.until(day)
    engine = world.stripe.engine
    engine.advance(None, END)
    world.now = END
    paid, silent, unknown, late = people
    engine.pay_invoice(paid.invoice, card=Card())
    for story, status in ((silent, 500), (unknown, 404)):
        world.stripe.faults.add(Fault(match=story.invoice.id, status=status, times=1000))
    ids = [row.id for row in world.rows(models.customers)]
    for _ in range(2):
        world.run(advance_cases(world.services, [*ids, 404]))
        world.run(world.drain())
        assert [story.level()[0] for story in people] == ["full", "warned", "warned", "revoked"]
    assert [said(story, "access.taken") for story in people] == [0, 0, 0, 1]
    assert [len([row for row in story.journal() if row.kind == "access.kept"]) for story in people] == [
        0,
        1,
        1,
        0,
    ]
    assert late.mails()[-1] == (14, "access_ended")
    assert paid.mails()[-1] == (14, "recovered")


def said(story: Story, kind: str) -> int:
    return len([row for row in story.journal() if row.kind == kind])
