"""Mails that cannot be written yet, or ever, and wake-ups that carry many rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import structlog

from db import models
from emails.delivery import Deferred
from providers.lookup import ProviderUnavailableError
from tests.scenarios.story import subscriber
from tests.scenarios.world import World
from tests.worker.mailing import ONCE, mailing, with_link
from tests.worker.transports import Disturbed
from worker.usecases.deliver import deliver_each
from worker.usecases.outcomes import LONGEST_WAIT, MOST_ATTEMPTS

LATER = Deferred(451, "4.3.0 <ada@customer.example> try again later")


async def unavailable() -> str:
    raise ProviderUnavailableError("APIConnectionError")


def test_a_mail_waits_for_its_link_and_then_leads_to_our_own_page(world: World) -> None:
    """Stripe cannot make a link: four times the mail waits, the fifth time it goes with the fallback."""
    one = mailing(world)
    services = with_link(world, unavailable)
    for attempt in range(1, 5):
        one.carry_out(services=services)
        assert (one.status, one.mails, one.effect.attempts) == ("pending", 0, attempt)
        one.later(LONGEST_WAIT)
    one.carry_out(services=services)

    assert (one.status, one.mails) == ("sent", 1)
    assert "https://merchant.example/billing" in one.story.text()


def test_a_link_that_is_back_in_time_is_in_the_mail(world: World) -> None:
    """After one refusal Stripe answers: the mail leads to the invoice."""
    one = mailing(world)
    one.carry_out(services=with_link(world, unavailable))
    one.later(LONGEST_WAIT)
    one.carry_out()

    assert str(one.story.invoice.hosted_url) in one.story.text()


async def no_link_at_all() -> str:
    return "javascript:alert(1)"


def test_a_mail_that_cannot_be_written_comes_to_an_end_and_to_a_person(world: World) -> None:
    """A link no mail may contain: tried with growing waits like any other, then failed, and the team told."""
    one = mailing(world)
    services = with_link(world, no_link_at_all)
    with structlog.testing.capture_logs() as events:
        for _ in range(MOST_ATTEMPTS):
            assert one.status == "pending"
            one.carry_out(services=services)
            one.later(LONGEST_WAIT)

    assert [event["event"] for event in events].count("effect.unwritten") == MOST_ATTEMPTS
    assert (one.status, one.mails) == ("failed", 0)
    assert one.effect.last_error == "it could not be written: ValueError"
    world.held = set()
    world.tick()
    assert one.story.calls() == [(0, "undeliverable")]


def test_a_mail_that_ends_the_process_each_time_comes_to_an_end(world: World) -> None:
    """Claimed again and again and never finished: after the last attempt it counts as failed."""
    one = mailing(world)

    async def killed() -> str:
        raise KeyboardInterrupt

    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            one.carry_out(services=with_link(world, killed))
        one.later()
    one.carry_out()

    assert (one.status, one.mails) == ("failed", 0)


def test_one_row_that_fails_does_not_hold_up_the_next(world: World) -> None:
    """Three rows in one wake-up, the first breaks in the middle of its send: the others are sent."""
    rows = []
    for name in ("ada", "bob", "eve"):
        one = mailing(world, email=f"{name}@customer.example")
        rows.append(one.row)

    async def broken() -> None:
        if not world.inbox.messages:
            raise RuntimeError("no reason at all")

    first = Disturbed(world.transport, before=broken)
    broken_once = replace(world.courier, transport=first)
    world.run(deliver_each(world.services, broken_once, rows[:1]))
    world.run(deliver_each(world.services, world.courier, rows))

    statuses = {row.id: row.status for row in world.rows(models.outbox)}
    assert [statuses[row] for row in rows] == ["sending", "sent", "sent"]


def test_what_does_not_fit_into_the_time_is_left_to_the_scheduler(world: World) -> None:
    """No time at all still carries out one row; the others wait a while, and no attempt is counted."""
    rows = [mailing(world, email=f"{name}@customer.example").row for name in ("ada", "bob", "eve")]
    world.run(deliver_each(world.services, world.courier, rows, enough=-1.0))
    assert len(world.inbox.messages) == 1
    assert sorted(row.attempts for row in world.rows(models.outbox)) == [0, 0, 1]

    world.held = set()
    world.machine_time(timedelta(minutes=1))
    assert len(world.inbox.messages) == 3


def test_the_first_mail_that_went_out_is_the_head_of_the_thread(world: World) -> None:
    """A first notice that was refused heads no thread; the first one that arrived does."""
    story = subscriber(world, "insufficient_funds", retries=ONCE)
    story.until(11)
    story.until(13)

    first, *others = story.inbox
    assert len(others) == 4
    assert {mail.message["In-Reply-To"] for mail in others} == {first.message["Message-ID"]}
    assert "In-Reply-To" not in first.message
