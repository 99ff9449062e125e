"""F6: a worker is frozen in the middle of its work for longer than its leases last.

Others do what it held. When it goes on, as if nothing had been, nothing is done a second time.
"""

from __future__ import annotations

import time
from pathlib import Path

from sandbox.stripe import Fault
from tests.chaos.conftest import Tell
from tests.chaos.crowd import ALL_RUN_OUT, Crowd, Facts
from tests.chaos.verdict import judged
from tests.chaos.workers import Workers, frozen, until, workers
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.world import World
from tests.worker.calling import FIRST_RETRY, NO_RETRIES
from tests.worker.plain import plain
from worker.queues import BILLING, EVENTS, MAIL

# Seconds that Stripe takes to answer whoever is frozen meanwhile.
SLOW = 2.0
# Seconds without a command after which Redis takes a worker for dead (`queues.HEARTBEAT_TIMEOUT`), and more.
HEARTBEAT_OVER = 33.0


def asked(world: World, method: str, invoice: str) -> bool:
    """Whether somebody has asked Stripe about this invoice."""
    return any(invoice in each.path for each in world.stripe.api.requested(method, "/v1/invoices"))


def others_go_on(world: World, some: Workers, *, long: bool) -> None:
    """Leases run out, a scheduler looks, and a worker that has just been started does what there is."""
    world.run(world.stage.let_pass(ALL_RUN_OUT))
    some.start()
    some.look()
    until(lambda: not world.unfinished(), "somebody else has done it")
    if long:
        time.sleep(HEARTBEAT_OVER)


def test_an_event_in_the_hands_of_a_frozen_worker_is_applied_once(
    world: World, redis_url: str, tmp_path: Path, long: bool, tell: Tell
) -> None:
    """Frozen while it asks Stripe for the decline code; the answer is there when it goes on."""
    crowd = Crowd(world, 2, on_clock=True)
    crowd.fail(EVENTS)
    invoice = world.stripe.engine.latest_invoice(crowd.subscriptions[0]).id
    with workers(world, redis_url, tmp_path) as some:
        first = some.start()
        world.stripe.faults.add(Fault(match=f"GET .*{invoice}", seconds=SLOW))
        for rows in crowd.unheard():
            some.wake(EVENTS, rows)
        until(lambda: asked(world, "GET", invoice), "an event is read")
        with frozen(first):
            others_go_on(world, some, long=long)
        until(some.idle, "the first has gone on")
    touched, calm = crowd.told()
    verdict = judged(touched, calm)
    lost, doubled = verdict.lost, verdict.doubled
    tell("F6", frozen="in apply_events", in_hand=1, lost=lost.total(), second_effects=doubled.total())
    assert (lost, doubled) == (Facts(), Facts())


def test_effects_in_the_hands_of_a_frozen_worker_happen_once(
    make_world: MakeWorld, redis_url: str, tmp_path: Path, long: bool, tell: Tell
) -> None:
    """One mail is being written, the server has the other, and a card is being charged."""
    world = make_world(policy=plain(retries="worker"))
    crowd = Crowd(world, 4, retries=NO_RETRIES, on_clock=True)
    crowd.fail()
    world.held = {MAIL, BILLING}
    crowd.pass_to(FIRST_RETRY)
    world.settle()
    invoices = [world.stripe.engine.latest_invoice(each).id for each in crowd.subscriptions]
    mails, charges, earlier = crowd.waiting("mail"), crowd.waiting("retry"), len(world.inbox.messages)
    with workers(world, redis_url, tmp_path) as some:
        first = some.start()
        world.inbox.hang(1, stored=True)
        some.wake(MAIL, mails[0])
        until(lambda: len(world.inbox.messages) > earlier, "the server has a mail")
        world.stripe.faults.add(Fault(match=f"GET .*{invoices[1]}", seconds=SLOW))
        world.stripe.faults.add(Fault(match=f"POST .*{invoices[2]}", seconds=SLOW))
        some.wake(BILLING, charges[2])
        until(lambda: asked(world, "POST", invoices[2]), "a card is charged")
        some.wake(MAIL, mails[1])  # last, so that it is not at the server too when its worker freezes
        until(lambda: asked(world, "GET", invoices[1]), "a mail is written")
        with frozen(first):
            others_go_on(world, some, long=long)
            with world.inbox.down():
                """Whoever still waits for an answer hears that there is none."""
        until(some.idle, "the first has gone on")
    *touched, calm = crowd.told()
    verdicts = [judged(facts, calm) for facts in touched]
    lost, doubled = (
        sum((each.lost for each in verdicts), Facts()),
        sum((each.doubled for each in verdicts), Facts()),
    )
    unknown = [each.unknown for each in verdicts]
    tell(
        "F6",
        frozen="in effects",
        in_hand=3,
        lost=lost.total(),
        second_effects=doubled.total(),
        unknown=sum(unknown),
    )
    assert (lost, doubled) == (Facts(), Facts())
    assert unknown == [1, 0, 0]
