"""Customers of a system that speaks the neutral format, from its signed events to mails and access."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from db import models
from dunning.policy import Policy
from dunning.segments import PolicyBook
from providers.systems import abilities_of
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.telling import SECRET, Door, Told, told_of
from tests.scenarios.world import PLAIN, World

ADA = {"customerId": "cus_1", "email": "ada@customer.example", "name": "Ada", "locale": "en"}
PRO = {"plan": "Pro", "amount": 1900, "currency": "eur", "payUrl": "https://pay.acme.example/i/1"}


@pytest.fixture
def door(world: World, redis_url: str) -> Iterator[Door]:
    made = Door(world, redis_url, f"acme standard {SECRET}")
    yield made
    made.close()


@pytest.fixture
def story(world: World, door: Door) -> Told:
    return told_of(world, door)


def test_the_bare_format_is_enough_once_somebody_told_who_it_is(story: Told) -> None:
    """Nothing but subscription, attempt and error: mails, a call after three, access taken and given back."""
    assert story.tell("customer.updated", **ADA, subscriptionIds=["sub_1"]) == 200
    story.failed(1)
    story.tell("subscription.past_due", subscriptionId="sub_1")
    assert story.level() == ("warned", "payment_failed")
    story.until(3).failed(2)
    story.until(5).failed(3)
    story.until(15)
    assert story.level() == ("revoked", "grace_expired")
    story.until(16).tell("subscription.payment_succeeded", subscriptionId="sub_1")

    assert story.mails() == [
        (0, "payment_failed 1"),
        (3, "payment_failed 2"),
        (7, "payment_failed 3"),
        (11, "final_warning 72h"),
        (13, "final_warning 24h"),
        (14, "access_ended"),
        (16, "recovered"),
    ]
    assert story.calls() == [(5, "attempts")]
    assert [(day, level) for day, level, _ in story.access()] == [
        (0, "full"),
        (0, "warned"),
        (14, "revoked"),
        (16, "full"),
    ]
    assert story.outcome() == "recovered"
    assert "Hello Ada" in story.text(0)
    assert "We could not collect the payment for your Acme subscription." in story.text(0)
    assert "not enough money" in story.text(0)
    assert "We received the payment for your Acme subscription on" in story.text()


def test_an_event_that_says_more_is_told_in_full(story: Told) -> None:
    """Amount, plan, invoice and where it is paid, all in the event; the customer as well."""
    more = PRO | {"customerId": "cus_1", "invoiceId": "inv_7", "invoiceNumber": "A-7", "customer": ADA}
    story.failed(1, "expired_card", **(more | {"customer": {"email": ADA["email"], "locale": "fr"}}))
    assert story.mails() == [(0, "payment_failed 1")]
    text = story.text()
    assert "19,00 €" in text
    assert "Pro" in text
    assert "A-7" in text
    assert "https://pay.acme.example/i/1" in text
    story.until(1).tell(
        "subscription.payment_succeeded", customerId="cus_1", subscriptionId="sub_1", invoiceId="inv_7", **PRO
    )
    assert story.mails()[1:] == [(1, "recovered")]
    assert "19,00 €" in story.text()


def test_what_is_told_before_its_customer_is_known_waits_for_them(story: Told, world: World) -> None:
    """Nothing is lost and nothing is dropped: the failure counts from when it happened."""
    story.failed(1)
    assert world.unfinished() == 1
    story.until(0.2)
    story.tell("customer.updated", **ADA, subscriptionIds=["sub_1"])
    world.machine_time(timedelta(minutes=1))
    assert story.mails() == [(0.2, "payment_failed 1")]
    [case] = world.rows(models.cases)
    assert (case.opened_at, world.unfinished()) == (story.renewal, 0)


def test_what_nobody_claims_for_a_day_is_given_up_and_shown(story: Told, world: World) -> None:
    """It is not dropped: a person finds it among the events that were given up."""
    story.failed(1)
    long_ago = update(models.inbox).values(received_at=world.now - timedelta(days=2))

    async def age() -> None:
        async with world.services.engine.begin() as connection:
            await connection.execute(long_ago)

    world.run(age())
    world.machine_time(timedelta(minutes=1))
    [row] = world.rows(models.inbox)
    assert row.status == "dead"
    assert "nobody has told whose subscription it is" in row.last_error


def test_the_end_of_the_row_ends_access_and_the_same_subscription_may_come_back(story: Told) -> None:
    """Cancelled for want of payment: told once. Later money for the same id gives everything back."""
    story.tell("customer.updated", **ADA, subscriptionIds=["sub_1"])
    story.failed(1)
    story.until(2).tell("subscription.canceled", subscriptionId="sub_1")
    story.until(4)
    assert story.level() == ("revoked", "canceled_for_nonpayment")
    assert story.mails() == [(0, "payment_failed 1"), (2, "access_ended")]
    story.until(6).tell("subscription.payment_succeeded", subscriptionId="sub_1")
    assert story.level() == ("full", "good_standing")
    assert story.mails()[2:] == [(6, "recovered")]


def test_whoever_cancels_of_their_own_will_is_not_told_of_a_debt(story: Told) -> None:
    """They hear nothing of it, and access ends when the source says so."""
    story.tell("customer.updated", **ADA, subscriptionIds=["sub_1"])
    story.tell("subscription.canceled", subscriptionId="sub_1", reason="voluntary")
    assert story.level() == ("revoked", "canceled")
    assert story.mails() == []


def test_a_second_row_of_failures_is_another_case(story: Told, world: World) -> None:
    """Attempts begin again at one, months later: a grace of its own, and its own mails."""
    story.tell("customer.updated", **ADA, subscriptionIds=["sub_1"])
    story.failed(1)
    story.until(1).tell("subscription.payment_succeeded", subscriptionId="sub_1")
    story.until(31).failed(1)
    story.until(34).failed(2)
    assert [row.outcome for row in sorted(world.rows(models.cases), key=lambda row: row.opened_at)] == [
        "recovered",
        None,
    ]
    assert story.mails() == [
        (0, "payment_failed 1"),
        (1, "recovered"),
        (31, "payment_failed 1"),
        (34, "payment_failed 2"),
    ]


def test_the_same_event_twice_is_one(story: Told, world: World) -> None:
    """Its id is the key, whatever the delivery."""
    story.tell("customer.updated", **ADA, subscriptionIds=["sub_1"])
    assert story.failed(1, event_id="evt_once") == 200
    before = (story.mails(), world.effects())
    assert story.failed(1, event_id="evt_once") == 200
    assert (story.mails(), world.effects()) == before


def test_nothing_is_planned_that_such_a_system_cannot_do(make_world: MakeWorld, redis_url: str) -> None:
    """A policy that charges and cancels by itself does neither: it keeps to what the source can be asked."""
    policy = PLAIN.model_copy(update={"retries": "worker", "end_action": "cancel", "pay_on_new_method": True})
    book = PolicyBook(Policy.model_validate(policy), abilities=abilities_of)
    world = make_world(policy=book)
    door = Door(world, redis_url, f"acme standard {SECRET}")
    story = told_of(world, door)
    story.tell("customer.updated", **ADA, subscriptionIds=["sub_1"])
    story.failed(1)
    story.tell("customer.updated", **ADA, paymentMethodChanged=True)
    story.until(20)
    door.close()
    assert {step.partition(":")[0] for step, _ in world.effects()} == {
        "payment_failed", "final_warning", "access_ended",
    }  # fmt: skip
