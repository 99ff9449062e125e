"""Stripe's thin events: a whole life by them alone, and one of which every fact comes in both forms."""

import pytest

from db import models
from sandbox.stripe.objects import render_event, thin_event
from tests.scenarios.arrivals import Manner
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.test_disorder import CALM, never_paid, outcome
from tests.scenarios.world import PLAIN
from tests.worker.reconciling import fill

ALONE = Manner(forms=(thin_event,))
BOTH_WAYS = Manner(forms=(thin_event, render_event), seed=4, twice=True)


@pytest.mark.parametrize("manner", [ALONE, BOTH_WAYS], ids=["alone", "both ways"])
def test_a_life_by_thin_events_is_the_same_life(make_world: MakeWorld, manner: Manner) -> None:
    """The same mails on the same days, the same calls, the same access; and the journal hears a fact once."""
    world = make_world(manner=manner, policy=PLAIN.model_copy(update={"escalate_after": 2}))
    story = never_paid(world)
    assert outcome(story) == CALM[never_paid]
    assert {row.status for row in world.rows(models.inbox)} <= {"done", "ignored"}
    heard = [
        entry.data["event"].replace("evt_test_65", "evt_")
        for entry in story.journal()
        if entry.kind == "event.applied"
    ]
    assert len(heard) == len(set(heard))
    assert fill(world)["filled"] == 0, "what a thin event has told is not missing"
