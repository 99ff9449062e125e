"""What becomes of a mail: the mail server's answers, and what happened before it was taken up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emails.delivery import Accepted, Deferred, Delivery, Rejected, Unanswered
from sandbox.stripe import Card
from tests.scenarios.world import World
from tests.worker.mailing import mailing
from tests.worker.transports import Scripted
from worker.usecases.deliver import ATTEMPTS_WITHOUT_ADDRESS
from worker.usecases.outcomes import LONGEST_WAIT, MOST_ATTEMPTS

LATER = Deferred(451, "4.3.0 <ada@customer.example> try again later")


def test_an_accepted_mail_is_sent_with_the_time_it_was_accepted(world: World) -> None:
    """The server's yes is the end of it: sent, accepted in the customer's time, nothing left to do."""
    one = mailing(world)
    one.carry_out(Scripted(Accepted("250 ok")))

    effect = one.effect
    assert (effect.status, effect.recipient, effect.last_error) == ("sent", "ada@customer.example", None)
    assert one.story.day(effect.accepted_at) == 0
    one.later()
    one.carry_out()
    assert one.mails == 0


def test_a_refused_mail_has_failed_and_is_not_tried_again(world: World) -> None:
    """A final no: failed, with the server's words in the row but not in the journal."""
    one = mailing(world)
    one.carry_out(Scripted(Rejected(550, "<ada@customer.example> no such user")))
    one.later()
    one.carry_out()

    assert one.status == "failed"
    assert "no such user" in one.effect.last_error
    [said] = [entry.reason for entry in one.story.journal() if entry.kind == "mail.failed"]
    assert said == "the server refused it with 550"
    assert one.mails == 0


def test_an_unanswered_mail_is_unknown_and_is_not_tried_again(world: World) -> None:
    """Handed over without an answer: it may have arrived, so it is left alone."""
    one = mailing(world)
    transport = Scripted(Unanswered("timed out"), Accepted("250 ok"))
    one.carry_out(transport)
    one.later()
    one.carry_out(transport)

    assert one.status == "unknown"
    assert len(transport.sent) == 1


def test_a_deferred_mail_is_the_same_mail_when_it_is_sent_at_last(world: World) -> None:
    """Byte for byte, Message-ID and Date included, though days pass and the customer's name changes."""
    one = mailing(world)
    transport = Scripted(LATER, LATER, Accepted("250 ok"))
    one.carry_out(transport)
    world.change_customer(one.story.customer, name="Countess Ada")
    one.later()
    one.carry_out(transport)
    one.story.until(1)
    one.later()
    one.carry_out(transport)

    assert one.status == "sent"
    first, second, third = transport.sent
    assert first == second == third
    assert b"Date: Mon, 02 Feb 2026 10:00:00 +0000" in first


@pytest.mark.parametrize(
    ("answer", "status"),
    [(Deferred(451, "Empf\udce4nger\0"), "pending"), (Rejected(550, "\udce4"), "failed")],
)
def test_words_that_no_column_holds_cost_nobody_their_mail(
    world: World, answer: Delivery, status: str
) -> None:
    """A server that answers in Latin-1, as the library hands it on: the mail still waits, or has failed."""
    one = mailing(world)
    one.carry_out(Scripted(answer))

    assert one.status == status
    assert one.effect.last_error.isprintable()


def test_class_28_a_deferred_mail_goes_to_the_address_the_customer_has_by_then(world: World) -> None:
    """The old address certainly did not get it; the corrected one does, and the old one never will."""
    one = mailing(world)
    one.carry_out(Scripted(LATER))
    one.story.until(0.1)
    world.change_customer(one.story.customer, email="ada@new.example")
    one.later()
    one.carry_out()

    assert [mail.recipients for mail in world.inbox.messages] == [("ada@new.example",)]
    assert world.inbox.messages[0].message["To"] == "ada@new.example"


def test_the_waits_double_until_an_hour_and_then_a_person_is_called(world: World) -> None:
    """30 s, 1 min, 2 min ... 1 h; after most of a working day it has failed and the team hears of it."""
    one = mailing(world)
    transport = Scripted(LATER)
    waits = []
    for _ in range(MOST_ATTEMPTS):
        before = one.effect
        assert before.status == "pending"
        one.carry_out(transport)
        waits.append(one.effect.due_at - before.due_at)
        one.later(LONGEST_WAIT + timedelta(minutes=5))

    assert one.status == "failed"
    assert len(transport.sent) == MOST_ATTEMPTS
    assert one.effect.last_error.startswith("not accepted yet (451)")
    world.held = set()
    world.tick()
    assert one.story.calls() == [(0, "undeliverable")]


def test_no_wait_is_shorter_than_half_a_minute_or_longer_than_an_hour(world: World) -> None:
    """Asked again too early, a mail that was put off stays put off."""
    one = mailing(world)
    transport = Scripted(LATER)
    one.carry_out(transport)
    one.later(timedelta(seconds=25))
    one.carry_out(transport)
    assert len(transport.sent) == 1

    one.later(timedelta(seconds=6))
    one.carry_out(transport)
    assert len(transport.sent) == 2


def test_paid_before_the_mail_was_sent_it_is_suppressed(world: World) -> None:
    """The payment is known when the mail is taken up: nobody is reminded of what is paid."""
    one = mailing(world)
    one.story.pay(Card())
    one.carry_out()

    assert one.status == "suppressed"
    assert one.mails == 0


def test_paid_between_two_attempts_it_is_suppressed(world: World) -> None:
    """Put off by the server, then paid: the stored mail is not sent any more."""
    one = mailing(world)
    one.carry_out(Scripted(LATER))
    one.story.pay(Card())
    one.later()
    one.carry_out()

    assert (one.status, one.mails) == ("suppressed", 0)


def test_cancelled_before_the_mail_was_sent_it_is_suppressed_with_the_reason(world: World) -> None:
    """The customer has cancelled meanwhile: the journal says why nothing was sent."""
    one = mailing(world)
    one.story.until(0.1)
    world.stripe.engine.cancel(one.story.subscription, at_period_end=True)
    world.settle()
    one.carry_out()

    assert (one.status, one.mails) == ("suppressed", 0)
    assert one.effect.last_error == "the customer has cancelled already"


def test_without_an_address_it_has_failed_after_some_minutes(world: World) -> None:
    """Nothing is sent to nobody."""
    one = mailing(world, email=None)
    for _ in range(ATTEMPTS_WITHOUT_ADDRESS):
        assert one.status == "pending"
        one.carry_out()
        one.later(LONGEST_WAIT)

    assert (one.status, one.mails) == ("failed", 0)
    assert one.effect.last_error == "there is no address to send it to"


def test_an_address_that_is_told_a_moment_later_is_written_to(world: World) -> None:
    """The failure was heard of before the customer was: nobody is forgotten for that."""
    one = mailing(world, email=None)
    one.carry_out()
    world.change_customer(one.story.customer, email="ada@customer.example")
    world.settle()
    one.later(LONGEST_WAIT)
    one.carry_out()

    assert (one.status, one.mails) == ("sent", 1)
    assert one.effect.recipient == "ada@customer.example"


def test_an_address_that_cannot_be_one_has_failed(world: World) -> None:
    """Two addresses, or a line break in one, never reach a mail server."""
    for email in ("ada@customer.example, bob@customer.example", "ada@customer.example\r\nBcc: x"):
        one = mailing(world, email=email)
        one.carry_out()
        assert (one.status, one.mails) == ("failed", 0)
