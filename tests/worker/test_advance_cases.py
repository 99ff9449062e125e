"""Time has passed: what is due is done once, and access is taken only if Stripe says that it is unpaid."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from db import accounts, models
from sandbox.stripe import Card, Fault, custom_schedule
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import RENEWAL, Story, subscriber
from tests.scenarios.world import START, World
from worker.usecases.advance_cases import advance_cases

# Stripe tries once more and then leaves the end of access to us.
LEFT_TO_US = custom_schedule(3, at_end="past_due")
DOWN = Fault(status=500, times=1000)
END = RENEWAL + timedelta(days=14)


@pytest.fixture
def story(world: World) -> Story:
    """Somebody by the wall clock who was warned, a moment before their grace ends."""
    told = subscriber(world, "insufficient_funds", wall=True, retries=LEFT_TO_US).until(13.9)
    assert told.level() == ("warned", "payment_failed")
    world.stripe.engine.advance(None, END)
    world.now = END
    return told


def advance(story: Story, *, times: int = 1) -> None:
    """Advance the customer, `times` at once, and do what follows."""
    world = story.world
    world.all_at_once(*(advance_cases(world.services, [1]) for _ in range(times)))
    world.run(world.drain())


def entries(story: Story, kind: str) -> list[Any]:
    return [row for row in story.journal() if row.kind == kind]


def due_at(story: Story) -> Any:
    (row,) = story.world.rows(models.cases, models.cases.c.due_at)
    return row.due_at


def test_stripe_is_asked_and_then_access_is_taken(story: Story) -> None:
    """Once, with a record of what was taken, and the customer is told."""
    asked = len(story.world.stripe.requests)
    advance(story)
    assert story.level() == ("revoked", "grace_expired")
    paths = [request.path for request in story.world.stripe.requests[asked:]]
    assert paths[0] == f"/v1/invoices/{story.invoice.id}"
    (case,) = story.world.rows(models.cases)
    assert (case.taken_at, case.taken_level) == (END, "revoked")
    assert story.mails()[-1] == (14, "access_ended")
    assert case.due_at is None


@pytest.mark.parametrize("seconds", [-1, 0])
def test_access_lasts_to_the_last_second(story: Story, seconds: int) -> None:
    """Advanced too early, nothing happens."""
    story.world.now = END + timedelta(seconds=seconds)
    advance(story)
    assert story.level()[0] == ("revoked" if seconds == 0 else "warned")


@pytest.mark.parametrize("times", [2, 10])
def test_class_7_several_at_once_take_it_once(story: Story, times: int) -> None:
    """The lock decides: one revocation, one mail."""
    advance(story, times=times)
    assert len(entries(story, "access.taken")) == 1
    assert len([mail for mail in story.mails() if mail[1] == "access_ended"]) == 1


def test_advancing_again_changes_nothing(story: Story) -> None:
    """There is nothing left to do."""
    advance(story)
    before = story.journal()
    advance(story)
    assert story.journal() == before


def test_class_16_paid_at_stripe_while_the_event_is_on_its_way(story: Story) -> None:
    """Stripe's answer closes the case: nothing is taken, and the receipt goes out."""
    story.world.stripe.engine.pay_invoice(story.invoice, card=Card())
    advance(story)
    assert story.outcome() == "recovered"
    assert not entries(story, "access.taken")
    assert story.mails()[-1] == (14, "recovered")
    story.world.settle()
    assert story.level() == ("full", "good_standing")
    assert story.mails()[-1] == (14, "recovered")


@pytest.mark.parametrize("way", ["void", "cancel", "unpaid"])
def test_whatever_stripe_says_instead_is_believed(story: Story, way: str) -> None:
    """The invoice is void, the subscription has been cancelled: nobody takes anything any more."""
    engine = story.world.stripe.engine
    if way == "void":
        engine.void_invoice(story.invoice)
    elif way == "cancel":
        engine.cancel(story.subscription)
    else:
        engine.write_off(story.invoice)
    advance(story)
    assert not entries(story, "access.taken")
    assert story.outcome() == {"void": "voided", "cancel": "ended", "unpaid": "written_off"}[way]


def test_class_12_who_cannot_be_asked_about_keeps_access(story: Story) -> None:
    """Stripe is away: the revocation waits, says so, and is tried again in five minutes."""
    world = story.world
    world.stripe.faults.add(DOWN)
    advance(story)
    assert story.level() == ("warned", "payment_failed")
    assert len(entries(story, "access.kept")) == 1
    assert due_at(story) == END + timedelta(minutes=5)
    world.stripe.faults.clear()
    world.tick()
    assert story.level()[0] == "warned"
    world.now += timedelta(minutes=5)
    world.tick()
    assert story.level() == ("revoked", "grace_expired")


def test_an_invoice_that_stripe_no_longer_knows_takes_nothing(make_world: MakeWorld) -> None:
    """Nobody confirmed that it is unpaid."""
    world = make_world()
    story = subscriber(world, "insufficient_funds", wall=True, retries=LEFT_TO_US).until(13.9)
    world.stripe.faults.add(Fault(match="/v1/invoices/", status=404, times=1000))
    world.now = END
    advance(story)
    assert story.level()[0] == "warned"


def test_an_answer_nobody_foresaw_holds_up_nothing_else(world: World) -> None:
    """Stripe refuses to show one invoice: the warning for the customer's other subscription goes out."""
    engine = world.stripe.engine
    story = subscriber(world, "ok", "insufficient_funds", wall=True, retries=LEFT_TO_US)
    world.advance(None, START + timedelta(days=3))
    engine.create_subscription(story.customer, engine.create_price(), policy=LEFT_TO_US)
    story.until(13.9)
    engine.advance(None, END)
    world.now = END
    refused = engine.latest_invoice(story.subscription).id
    world.stripe.faults.add(Fault(match=refused, status=400, times=1000))
    advance(story)
    assert entries(story, "access.kept")
    assert not entries(story, "access.taken")
    assert story.mails()[-1] == (14, "final_warning 72h")


def test_class_5_our_clock_may_be_ahead_of_stripes(story: Story) -> None:
    """What Stripe says after it was asked is newer, though our clock said ten minutes more at the time."""
    world = story.world
    world.now = END + timedelta(minutes=10)
    advance(story)
    assert story.level() == ("revoked", "grace_expired")
    world.stripe.engine.advance(None, END + timedelta(minutes=1))
    story.pay(Card())
    assert story.level() == ("full", "good_standing")


def test_class_16_paid_in_the_second_in_which_access_was_taken(make_world: MakeWorld) -> None:
    """A test clock stands still: failure, question, payment and restoration all bear one time."""
    world = make_world()
    story = subscriber(world, "insufficient_funds", retries=LEFT_TO_US).until(14)
    assert story.level() == ("revoked", "grace_expired")
    story.pay(Card())
    assert story.level() == ("full", "good_standing")
    assert story.outcome() == "recovered"
    assert story.mails()[-1] == (14, "recovered")


def test_nobody_is_advanced_for_nothing(world: World) -> None:
    """An id that nobody has."""
    world.run(advance_cases(world.services, [404]))
    assert not world.rows(models.journal)


def test_one_customer_in_trouble_keeps_nobody_waiting(story: Story) -> None:
    """The next one is advanced all the same."""
    world = story.world

    async def spoil() -> int:
        async with world.services.engine.begin() as connection:
            (row_id,) = (await accounts.ensure(connection, [("stripe", "cus_spoiled")])).values()
            values = {"customer_id": row_id, "invoice": "in_x", "subscription": "sub_x", "opened_at": END}
            spoiled = values | {"grace": timedelta(days=14), "outcome": "nonsense"}
            await connection.execute(models.cases.insert().values(spoiled))
            return row_id

    world.run(advance_cases(world.services, [world.run(spoil()), 1]))
    assert story.level() == ("revoked", "grace_expired")
