"""Customers of a Commet that can be asked: what its webhooks leave unsaid, and what they never brought."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.commet import SimulatedCommet, simulated_commet
from sandbox.commet.api import CommetFault
from sandbox.commet.server import SECRET
from tests.scenarios.commet_world import CommetWorld
from tests.scenarios.telling import Door
from tests.scenarios.world import START, World


@pytest.fixture(scope="module")
def served() -> Iterator[SimulatedCommet]:
    with simulated_commet(START) as commet:
        yield commet


@pytest.fixture
def commet(world: World, served: SimulatedCommet, redis_url: str) -> Iterator[CommetWorld]:
    served.clear()
    door = Door(world, redis_url, commet_webhook_secrets=(SECRET,))
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


def test_commet_is_asked_before_access_is_taken(commet: CommetWorld, world: World) -> None:
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


def test_while_commet_does_not_answer_access_stays(commet: CommetWorld) -> None:
    """And is taken as soon as it says that nothing was paid."""
    grace = commet.customer("grace")
    commet.until(0)
    grace.happens("renew", "card_declined")
    commet.until(13)
    commet.commet.api.faults = [CommetFault(503)] * 1000
    commet.until(15)
    assert grace.level()[0] != "revoked"
    commet.commet.api.faults = []
    commet.until(16)
    assert grace.level()[0] == "revoked"
