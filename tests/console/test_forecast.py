"""What the forecast says is what the worker then does."""

from datetime import timedelta

import pytest

from console.forecast import WhatIf, cancellation, forecast, payment, void, what_if
from console.view import View
from dunning.access import Level
from dunning.account import Outcome
from dunning.events import CustomerFact
from sandbox.stripe import custom_schedule
from tests.console.views import view_of
from tests.scenarios.story import RENEWAL, Story, subscriber
from tests.scenarios.world import World

# Stripe tries again only when everything of ours is over.
LATER = custom_schedule(25)


def ahead(view: View) -> list[tuple[str, float]]:
    """(step, days since the failure) of everything to come."""
    steps = forecast(view.account, view.history, view.policy, view.at)
    return [(step.key, (step.due_at - RENEWAL) / timedelta(days=1)) for step in steps]


def decided(view: View) -> list[tuple[str, float]]:
    """The same of everything the worker has decided."""
    kinds = ("mail.decided", "access.taken", "team.called")
    return [
        (entry.data["step"], (entry.at - RENEWAL) / timedelta(days=1))
        for entry in view.journal
        if entry.kind in kinds
    ]


def imagine(view: View, *facts: CustomerFact) -> WhatIf:
    """What these facts would do to the only case."""
    [case] = view.account.cases
    return what_if(view.account, view.history, view.policy, view.at, case, *facts)


@pytest.mark.parametrize("outcome", ["do_not_honor", "processing_error", "stolen_card"])
def test_what_is_forecast_is_what_happens(world: World, outcome: str) -> None:
    """From the first failure to the end of access, step by step and on the same days."""
    story = subscriber(world, outcome, retries=LATER).until(0)
    before = view_of(story)
    told = decided(before) + ahead(before)
    story.until(16)
    after = view_of(story)
    assert told == decided(after)
    assert [step.partition(":")[0] for step, _ in told][-2:] == ["access", "access_ended"]
    assert ahead(after) == []


def test_a_payment_ends_it_as_imagined(world: World) -> None:
    """Access and the receipt are what the imagined payment brought."""
    story = subscriber(world, "do_not_honor", "do_not_honor", "ok").until(4)
    before = view_of(story)
    then = imagine(before, *payment(before.account, story.invoice.id, before.at))
    assert (then.case.outcome, then.access.level) == (Outcome.RECOVERED, Level.FULL)
    assert story.pay()
    after = view_of(story)
    assert after.account.cases[story.invoice.id].outcome is Outcome.RECOVERED
    assert after.planned.access.level is Level.FULL
    assert [step.key for step in then.steps] == [decided(after)[-1][0]]


def test_a_payment_after_the_end_brings_nothing_but_a_call(world: World) -> None:
    """Stripe has cancelled: the money would come for a subscription that is gone."""
    story = subscriber(world, "expired_card").until(16)
    view = view_of(story)
    then = imagine(view, *payment(view.account, story.invoice.id, view.at))
    assert (then.case.outcome, then.access.level) == (Outcome.PAID_AFTER_END, Level.REVOKED)
    assert [step.key for step in then.steps] == [f"escalation:{story.invoice.id}:paid_after_end"]


def test_a_void_invoice_gives_nothing_back(world: World) -> None:
    """What was taken stays taken, since a void is not a payment; but nothing more is done."""
    story = subscriber(world, "do_not_honor", retries=LATER).until(16)
    view = view_of(story)
    then = imagine(view, *void(view.account, story.invoice.id, view.at))
    assert (then.case.outcome, then.access.level, then.steps) == (Outcome.VOIDED, Level.REVOKED, ())


def test_a_cancellation_stops_the_ladder(world: World) -> None:
    """Who leaves hears nothing but the warnings: the period that is not paid for ends with its grace."""
    story = subscriber(world, "do_not_honor", retries=LATER).until(1)
    view = view_of(story)
    then = imagine(view, *cancellation(view.account, story.subscription.id, view.at))
    assert then.case.is_open
    names = {step.name for step in then.steps}
    assert "payment_failed" not in names
    assert {"final_warning", "revoked"} <= names


def test_imagining_changes_nothing(world: World) -> None:
    """The view is the same before and after it was asked about everything."""
    story = subscriber(world, "do_not_honor", retries=LATER).until(1)
    view = view_of(story)
    for facts in (
        payment(view.account, story.invoice.id, view.at),
        void(view.account, story.invoice.id, view.at),
    ):
        imagine(view, *facts)
    assert ahead(view) == ahead(view_of(story))


def test_an_undeliverable_warning_is_told_ahead(world: World) -> None:
    """Without an address nobody can be warned: access is kept and the team is called."""
    story: Story = subscriber(world, "do_not_honor", retries=LATER, email=None)
    for day in (11, 13, 14):
        story.until(day)
        world.no_address_comes()
    view = view_of(story)
    assert not any(step.startswith("access:") for step, _ in ahead(view))
