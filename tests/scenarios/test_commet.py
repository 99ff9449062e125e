"""Customers of Commet, from its signed events by HTTP to mails and access."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from db import models
from tests.providers.commet_events import BY_HAND, SECRET, dumped, event, retry, signed
from tests.scenarios.story import RENEWAL, Story
from tests.scenarios.telling import Door, Person
from tests.scenarios.world import World

EMAIL = "grace@customer.example"


@dataclass
class OfCommet(Story):
    """The story of a customer of whom Commet tells."""

    door: Any = None

    def tell(self, kind: str, **changes: Any) -> int:
        """Send an event of now; the status of the answer."""
        body = dumped(event(kind, self.world.now, **changes))
        return int(self.door.post("commet", body, signed(body)).status_code)


@pytest.fixture
def door(world: World, redis_url: str) -> Iterator[Door]:
    made = Door(world, redis_url, COMMET_WEBHOOK_SECRETS=("whsec_older", SECRET))
    yield made
    made.close()


@pytest.fixture
def story(world: World, door: Door) -> OfCommet:
    """A customer whose renewal of 49 euros is charged now."""
    world.advance(None, RENEWAL - timedelta(hours=1))
    told = OfCommet(world, None, Person("user_123"), None, EMAIL, RENEWAL, door)  # type: ignore[arg-type]  # of no Stripe
    told.tell("customer.created")
    told.tell("subscription.activated")
    told.tell("invoice.created")
    told.until(0)
    return told


def fail(story: OfCommet) -> None:
    """The first failure, with what fires beside it."""
    story.tell("payment.failed")
    story.tell("subscription.past_due")


def test_three_failures_call_the_team_and_a_recovery_ends_it(story: OfCommet) -> None:
    """One mail for a pair of events, the way to pay in it, tries by hand not counted."""
    fail(story)
    assert story.mails() == [(0, "payment_failed 1")]
    assert "https://pay.commet.co/recover/tok_9f8e7d6c" in story.text()
    assert "€49.00" in story.text()
    story.until(1).tell("payment.failed", **retry(1))
    story.until(2).tell("payment.failed", **BY_HAND)
    assert story.calls() == []
    story.until(3).tell("payment.failed", **retry(2))
    assert story.calls() == [(3, "attempts")]
    assert story.level() == ("warned", "payment_failed")
    story.until(4).tell("payment.recovered")
    story.tell("payment.received")
    assert story.level() == ("full", "good_standing")
    assert (story.outcome(), story.mails()[-1]) == ("recovered", (4, "recovered"))


def test_the_end_of_its_retries_ends_access_once_and_the_same_id_comes_back(story: OfCommet) -> None:
    """Two events for one end; a reactivation gives everything back."""
    fail(story)
    story.until(7).tell("payment.retry_failed")
    story.tell("subscription.canceled")
    assert story.level() == ("revoked", "canceled_for_nonpayment")
    assert [name for _, name in story.mails()].count("access_ended") == 1
    story.until(9).tell("subscription.reactivated")
    assert story.level() == ("full", "good_standing")
    assert story.mails()[-1] == (9, "recovered")


def test_where_commet_takes_access_at_once_so_do_we(story: OfCommet, world: World) -> None:
    """By the settings: past due then means stopped, told once, and a payment gives it back."""
    world.services = replace(world.services, stopped_at_past_due=frozenset({"commet"}))
    fail(story)
    assert story.level() == ("revoked", "unpaid")
    assert story.mails() == [(0, "access_ended")]
    story.until(1).tell("payment.recovered")
    assert story.level() == ("full", "good_standing")
    assert story.mails() == [(0, "access_ended"), (1, "recovered")]


def test_a_cancellation_that_is_only_asked_for_ends_nothing(story: OfCommet) -> None:
    """Access lasts to the end that Commet tells of."""
    story.tell("subscription.updated", canceledAt="2026-02-01T00:00:00Z", endDate="2026-02-20T00:00:00Z")
    assert story.level() == ("full", "cancels_at_period_end")
    story.until(18).tell(
        "subscription.canceled", cancelReason="Too expensive", endDate="2026-02-20T00:00:00Z"
    )
    assert story.level() == ("revoked", "canceled")
    assert story.mails() == []


def test_what_commet_has_signed_is_always_answered_with_200(story: OfCommet, world: World) -> None:
    """Unknown, spoiled or of the other mode: kept aside, and the endpoint stays alive."""
    before = story.level()
    bodies = [
        b"[]",
        b"\xff",
        b'{"event": "quota.exceeded"}',
        dumped(event("payment.failed") | {"mode": "live"}),
    ]
    bodies.append(dumped(event("payment.failed", 1, invoiceId=None)))
    assert {story.door.post("commet", body, signed(body)).status_code for body in bodies} == {200}
    assert story.door.post("commet", bodies[0], signed(b"other")).status_code == 400
    rows = sorted(world.rows(models.inbox), key=lambda row: row.id)[-5:]
    assert [row.status for row in rows] == ["ignored", "ignored", "ignored", "ignored", "dead"]
    assert story.level() == before
