"""A mail that a person of the team sends once more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db import models
from dunning.breaker import holds
from dunning.instructions import Verb
from dunning.requests import Request
from dunning.steps import RESENT, Kind
from sandbox.stripe import custom_schedule
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World
from worker.queues import MAIL
from worker.usecases.instruct import RefusedError
from worker.usecases.resend import resend

# Stripe tries again only when everything of ours is over.
LATER = custom_schedule(40)


def debtor(world: World, day: float, **options: str) -> Story:
    """A customer whose renewal has failed, seen on a day after that."""
    return subscriber(world, "do_not_honor", retries=LATER, **options).until(day)


def again(story: Story, **options: str) -> str:
    """Send the newest mail again, and its step."""
    world = story.world
    asked = {"by": "maria", "why": "they deleted it"} | options

    async def ask() -> str:
        async with world.services.engine.begin() as connection:
            sent = await resend(
                connection, 1, story.invoice.id, **asked, policy=world.services.policy, now=world.now
            )
        await world.services.nudge(MAIL, sent.rows)
        await world.drain()
        return sent.step

    return world.run(ask())


def why_not(story: Story) -> str:
    """Why nothing is sent."""
    with pytest.raises(RefusedError) as refused:
        again(story)
    return str(refused.value)


def say(story: Story, verb: Verb, span: timedelta | None = None) -> None:
    """Give an instruction for the case."""
    request = Request(verb, "maria", "they asked", story.invoice.id, span=span)
    story.world.tell(story.customer, request)


def test_the_newest_mail_comes_again_and_counts_for_nothing(world: World) -> None:
    """The same mail; who wanted it and why is written down, and the ladder goes on as before."""
    story = debtor(world, 1)
    other = story.inbox[-1].message["Subject"]
    step = again(story)
    assert step == f"resent:{story.invoice.id}:1:payment_failed:{story.invoice.id}:1"
    assert [mail.message["Subject"] for mail in story.inbox] == [other, other]
    (entry,) = [row for row in story.journal() if row.kind == "mail.asked"]
    assert (entry.reason, entry.data) == ("they deleted it", {"step": step, "by": "maria"})
    story.until(4)
    assert [name for _, name in story.mails()][-1] == "payment_failed 2"
    assert story.mails()[-1][0] == 3


def test_three_a_day(world: World) -> None:
    """Whoever asks more often is told when to come back, and can then."""
    story = debtor(world, 1)
    assert [again(story).split(":")[2] for _ in range(3)] == ["1", "2", "3"]
    assert "try again tomorrow" in why_not(story)
    story.until(2.1)
    assert again(story).split(":")[2] == "4"


def test_what_cannot_be_repeated_is_said(world: World) -> None:
    """No mail yet, no reason."""
    story = subscriber(world, "fraudulent", retries=LATER).until(1)
    assert why_not(story).startswith("No mail about this case has been sent yet")
    with pytest.raises(RefusedError, match="give a reason"):
        again(story, why=" ")
    assert [row for row in world.rows(models.outbox) if row.name == "resent"] == []


def test_what_must_not_be_told_is_not_told_again(world: World) -> None:
    """The first charge failed for any reason, the next one as fraud: a person decides."""
    story = subscriber(world, "do_not_honor", "fraudulent", retries=custom_schedule(2, 40)).until(2.5)
    assert why_not(story).startswith("This failure is not told of: it may be fraud")


def test_a_closed_case_asks_for_nothing_any_more(world: World) -> None:
    """Not even because somebody wants it so."""
    story = debtor(world, 1)
    say(story, Verb.FORGIVE)
    assert why_not(story).startswith("The case is closed")


def test_a_final_warning_is_repeated_only_while_it_is_true(world: World) -> None:
    """Not while the case is held, nor after its end has moved; and it is no warning that an end waits for."""
    story = debtor(world, 11.5)
    assert again(story).endswith(":72h")
    assert story.inbox[-1].message["Subject"] == story.inbox[-2].message["Subject"]
    say(story, Verb.EXTEND, span=timedelta(days=7))
    assert why_not(story).startswith("The end of access has moved")
    say(story, Verb.PAUSE, span=timedelta(days=2))
    assert "maria paused it" in why_not(story)


def test_what_was_paid_before_it_went_out_is_not_sent(world: World) -> None:
    """The case is asked again right before."""
    story = subscriber(world, "do_not_honor", "ok", retries=LATER).until(1)
    world.held = {MAIL}
    again(story)
    assert story.pay()
    world.held = set()
    world.tick()
    (row,) = [row for row in world.rows(models.outbox) if row.name == "resent"]
    assert row.status == "suppressed"


def test_a_tripped_breaker_holds_it_back() -> None:
    """What tells of failures may be wrong for everybody just then."""
    assert holds(Kind.MAIL, RESENT)
