"""Customers of a Commet that can be asked: what its webhooks leave unsaid, and what they never brought."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from db.reconciliations import COMPARISON, EVENTS
from sandbox.commet import SimulatedCommet, simulated_commet
from sandbox.commet.api import CommetFault
from sandbox.commet.server import SECRET
from tests.scenarios.commet_world import CommetWorld
from tests.scenarios.story import RENEWAL
from tests.scenarios.telling import Door
from tests.scenarios.world import START, World


@pytest.fixture(scope="module")
def served() -> Iterator[SimulatedCommet]:
    with simulated_commet(START) as commet:
        yield commet


@pytest.fixture
def commet(world: World, served: SimulatedCommet, redis_url: str) -> Iterator[CommetWorld]:
    served.clear()
    door = Door(world, redis_url, COMMET_WEBHOOK_SECRETS=(SECRET,))
    yield CommetWorld(world, served, door)
    door.close()


def test_who_to_write_to_and_how_much_is_owed_are_asked_for(commet: CommetWorld) -> None:
    """Whatever was subscribed to: a failed payment alone is enough for a whole mail."""
    commet.away = True
    grace = commet.customer("grace")
    commet.until(0)
    commet.away, commet.endpoint.disabled = False, False
    grace.happens("renew", "card_declined")
    assert grace.mails() == [(0, "payment_failed 1")]
    assert "€49.00" in grace.text()
    assert "Pro" in grace.text()
    assert f"https://pay.commet.co/recover/{grace.of}" in grace.text()


def test_commet_is_asked_before_access_is_taken(commet: CommetWorld) -> None:
    """The payment's webhook was lost: whoever has paid keeps what they paid for."""
    grace = commet.customer("grace")
    commet.until(0)
    grace.happens("renew", "card_declined")
    commet.until(13)
    commet.away = True
    grace.happens("pay")
    commet.until(16)
    assert grace.level() == ("full", "good_standing")
    assert (grace.outcome(), grace.mails()[-1][1]) == ("recovered", "recovered")


def test_while_commet_does_not_answer_access_stays(commet: CommetWorld, world: World) -> None:
    """And is taken as soon as it says that nothing was paid."""
    grace = commet.customer("grace")
    commet.until(0)
    grace.happens("renew", "card_declined")
    commet.until(13)
    commet.commet.api.faults = [CommetFault(503)] * 1000
    world.advance(None, RENEWAL + timedelta(days=15))
    assert grace.level()[0] != "revoked"
    commet.commet.api.faults = []
    commet.until(16)
    assert grace.level()[0] == "revoked"


def test_what_a_disabled_endpoint_lost_is_found(commet: CommetWorld) -> None:
    """Commet sends nothing of it again: one fails, one pays, one ends and one comes back meanwhile."""
    grace, heidi, ivan, judy = (commet.customer(name) for name in ("grace", "heidi", "ivan", "judy"))
    commet.until(0)
    for each in (heidi, ivan, judy):
        each.happens("renew", "card_declined")
    judy.happens("give_up")
    assert judy.level() == ("revoked", "canceled_for_nonpayment")
    commet.until(1)
    commet.away = True
    heidi.happens("retry", "card_declined")
    assert commet.endpoint.disabled is False
    grace.happens("renew", "insufficient_funds")
    assert commet.endpoint.disabled
    commet.away = False
    heidi.happens("pay")
    ivan.happens("give_up")
    judy.happens("reactivate")
    before = {each.email: len(each.inbox) for each in (grace, heidi, ivan, judy)}
    commet.reconcile()
    assert grace.mails() == [(1, "payment_failed 1")]
    assert "€49.00" in grace.text()
    assert (heidi.level(), heidi.outcome()) == (("full", "good_standing"), "recovered")
    assert heidi.mails()[-1] == (1, "recovered")
    assert ivan.level() == ("revoked", "canceled_for_nonpayment")
    assert ivan.mails()[-1] == (1, "access_ended")
    # Each hour those who have ended within a month are looked at as well, by the database's clock.
    commet.reconcile(COMPARISON)
    assert judy.level() == ("full", "good_standing")
    assert judy.mails()[-1] == (1, "recovered")
    after = {email: count + 1 for email, count in before.items()}
    # Asked again, and told after all, nothing is said twice, and nothing differs any more.
    assert [commet.reconcile(kind)["found"] for kind in (EVENTS, COMPARISON)] == [0, 0]
    commet.endpoint.enable()
    for event in list(commet.endpoint.lost):
        commet.endpoint.deliver(event)
    assert {each.email: len(each.inbox) for each in (grace, heidi, ivan, judy)} == after
    assert [each.level()[0] for each in (heidi, judy)] == ["full", "full"]
    assert grace.calls() == []


def test_retries_that_were_lost_are_counted_and_tries_by_hand_are_not(commet: CommetWorld) -> None:
    """The third charge that failed calls a person, whoever told of it."""
    grace = commet.customer("grace")
    commet.until(0)
    grace.happens("renew", "card_declined")
    commet.endpoint.disabled = True
    commet.until(1)
    grace.happens("retry", "card_declined").happens("try_by_hand", "card_declined")
    commet.reconcile()
    assert grace.calls() == []
    commet.until(3)
    grace.happens("retry", "card_declined")
    commet.reconcile()
    assert grace.calls() == [(3, "attempts")]
    assert [name for _, name in grace.mails()].count("payment_failed 1") == 1


def test_every_night_everything_is_compared(commet: CommetWorld) -> None:
    """Who left of their own will, or has another address: no case makes anybody look."""
    grace, heidi = commet.customer("grace"), commet.customer("heidi")
    commet.until(0)
    commet.endpoint.disabled = True
    grace.happens("cancel", "Too expensive")
    [other] = [each["id"] for each in commet.commet.books.customers.values() if each["email"] == heidi.email]
    commet.commet.books.change_customer(other, email="heidi@elsewhere.example")
    assert commet.reconcile()["found"] == 0
    found = commet.reconcile(COMPARISON)
    assert (found["subscriptions"], found["found"], found["repaired"]) == (2, 2, 2)
    assert grace.level() == ("revoked", "canceled")
    assert grace.mails() == []
    heidi.happens("renew", "card_declined")
    commet.reconcile()
    assert len(commet.world.inbox.to("heidi@elsewhere.example")) == 1


def test_strangers_are_counted_and_left_alone(commet: CommetWorld) -> None:
    """Customers from before we began; their next event makes them known."""
    commet.endpoint.disabled = True
    grace = commet.customer("grace")
    commet.until(0)
    grace.happens("renew", "card_declined")
    assert (commet.reconcile()["strangers"], grace.inbox) == (1, [])
    commet.endpoint.enable()
    commet.until(1)
    grace.happens("retry", "card_declined")
    assert grace.mails() == [(1, "payment_failed 1")]
