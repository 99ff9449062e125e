"""One event that cannot be applied costs the events beside it nothing."""

from datetime import timedelta

from db import models
from sandbox.stripe import Card, Fault, custom_schedule
from tests.scenarios.world import World


def test_an_answer_nobody_understands_holds_up_only_its_own_events(world: World) -> None:
    """Two renewals fail in one batch and Stripe refuses to show one of the invoices: the other one is dunned.

    The refused events keep their error and are applied as soon as Stripe shows the invoice.
    """
    engine = world.stripe.engine
    clock = engine.create_clock(world.now)
    ada, bob = (
        engine.create_subscription(
            engine.create_customer(
                f"{name}@customer.example", clock=clock, card=Card(outcomes=("ok", "do_not_honor"))
            ),
            engine.create_price(),
            policy=custom_schedule(30),
        )
        for name in ("ada", "bob")
    )
    engine.advance(clock, world.now + timedelta(days=31, hours=2))
    refused = engine.latest_invoice(ada).id
    world.stripe.faults.add(Fault(match=refused, status=400, times=1000))
    world.settle()
    assert [row.invoice for row in world.rows(models.cases, models.cases.c.invoice)] == [
        engine.latest_invoice(bob).id
    ]
    waiting = world.rows(models.inbox, models.inbox.c.status, models.inbox.c.last_error)
    assert {row.last_error.partition(":")[0] for row in waiting if row.status == "pending"} == {
        "InvalidRequestError"
    }

    world.stripe.faults.clear()
    world.machine_time(timedelta(minutes=1))
    assert {row.status for row in world.rows(models.inbox, models.inbox.c.status)} == {"done"}
    assert len(world.rows(models.cases, models.cases.c.invoice)) == 2
