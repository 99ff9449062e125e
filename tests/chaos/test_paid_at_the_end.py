"""F17: somebody pays in the very second in which grace ends, while a mail to them is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from db import models
from sandbox.stripe import Card
from sandbox.stripe.records import Subscription
from tests.chaos.conftest import Tell
from tests.chaos.crowd import Crowd
from tests.scenarios.world import SENDER, World
from tests.worker.transports import Gate
from worker.courier import Courier
from worker.queues import MAIL
from worker.usecases.advance_cases import advance_cases
from worker.usecases.deliver import deliver

END, LAST_WARNING = 14, 13
SECOND = timedelta(seconds=1) / timedelta(days=1)


def paid(world: World, subscription: Subscription) -> None:
    """At Stripe, whose event nobody has heard yet."""
    engine = world.stripe.engine
    assert engine.pay_invoice(engine.latest_invoice(subscription), card=Card()).succeeded


def levels(world: World, customers: Sequence[int]) -> list[str]:
    """What the access API would say of each."""
    found = {row.customer_id: row.level for row in world.rows(models.access)}
    return [found[each] for each in customers]


def test_nobody_is_locked_out_whom_stripe_calls_paid(world: World, tell: Tell) -> None:
    """Paid a second before the end, at the end and a second after, with the last warning out of hand.

    That mail arrives, and after it the receipt alone. Who pays after the end is let in again.
    """
    crowd = Crowd(world, 3)
    crowd.fail()
    crowd.until(LAST_WARNING - 0.1)
    world.held = {MAIL}
    crowd.pass_to(LAST_WARNING)
    before, at_the_end, after = crowd.subscriptions
    customers = crowd.customer_ids()
    world.run(advance_cases(world.services, customers))
    warnings, gates = crowd.waiting("mail"), [Gate(world.transport) for _ in customers]

    async def in_hand() -> list[asyncio.Task[None]]:
        sending = [
            asyncio.create_task(deliver(world.services, Courier(SENDER, gate), row))
            for gate, [row] in zip(gates, warnings, strict=True)
        ]
        for gate in gates:
            await gate.reached.wait()
        return sending

    async def arrive(sending: list[asyncio.Task[None]]) -> None:
        for gate in gates:
            gate.open.set()
        await asyncio.gather(*sending)

    sending = world.run(in_hand())
    crowd.pass_to(END - SECOND)
    paid(world, before)
    crowd.pass_to(END)
    paid(world, at_the_end)
    world.run(advance_cases(world.services, customers))
    when_it_ended = levels(world, customers)
    crowd.pass_to(END + SECOND)
    paid(world, after)
    world.run(arrive(sending))
    world.held = set()
    world.settle()
    crowd.recover()

    sent = sorted(
        (row.customer_id, row.id, row.name) for row in world.rows(models.outbox) if row.status == "sent"
    )
    mails = [[name for owner, _, name in sent if owner == each] for each in customers]
    later = [names[names.index("final_warning") + 2 :] for names in mails]
    wrongly = when_it_ended[:2].count("revoked")
    tell("F17", paid_seconds_after_end=[-1, 0, 1], revoked_when_paid=wrongly, mails_after_payment=later)
    assert when_it_ended == ["full", "full", "revoked"]
    assert levels(world, customers) == ["full"] * 3
    assert later == [["payment_recovered"]] * 3
    assert all(facts["arrived: final_warning:24h by mail"] == 1 for facts in crowd.told())
