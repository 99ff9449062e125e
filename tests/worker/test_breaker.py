"""A tripped breaker: customers feel nothing until somebody lets go, and then what is still due, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import structlog

from db import breaker as statements
from db import models
from dunning.breaker import Limits
from emails.delivery import Deferred
from sandbox.stripe import Card, custom_schedule
from tests.scenarios.story import RENEWAL, Story, subscriber
from tests.scenarios.world import World
from tests.worker.breaking import commit, later, let_counts_pass, look, release, rows, trip
from tests.worker.mailing import mailing
from tests.worker.transports import Scripted
from worker.breaker import watch
from worker.usecases.deliver import MOST_ATTEMPTS

TO_THE_END = custom_schedule(3, 5, 7, at_end="past_due")
LEFT_TO_US = custom_schedule(3, at_end="past_due")
TWO = Limits(surge_floor=2)
# A case that is held back wants to be looked at every five minutes; twice a day tells the same.
HALF_DAYS = [day / 2 for day in range(40)]


def crowd(world: World, size: int, *, wall: bool = True) -> list[Story]:
    """So many customers whose renewals fail at the same moment, told in its first second."""
    people = [
        subscriber(world, "insufficient_funds", wall=wall, email=f"c{number}@customer.example")
        for number in range(size)
    ]
    for story in people:
        story.until(0)
    return people


def kinds(story: Story) -> list[str]:
    return [entry.kind for entry in story.journal()]


def test_a_surge_trips_it_and_one_less_does_not(world: World) -> None:
    """The third charge fails where two are let pass: the reason is kept, and said in the log as an error."""
    people = crowd(world, 2)
    assert not look(world, TWO)
    people[0].pay(Card(outcomes=("expired_card",)))
    with structlog.testing.capture_logs() as events:
        assert look(world, TWO)
    [row] = rows(world)
    assert row.reason == "3 charges failed within an hour, where 2 are let pass"
    assert [(event["event"], event["log_level"]) for event in events] == [("breaker.tripped", "error")]


def test_tripped_it_is_not_looked_at_again(world: World) -> None:
    """One row for one surge, however long it goes on."""
    crowd(world, 3)
    assert [look(world, TWO) for _ in range(3)] == [True, False, False]
    assert len(rows(world)) == 1


def test_of_two_schedulers_one_trips_it(world: World) -> None:
    """Both look at the same moment: one row, one of them says so."""
    crowd(world, 3)
    looks = [watch(world.services.engine, world.services.nudge, TWO) for _ in range(2)]
    assert sorted(world.all_at_once(*looks)) == [False, True]
    assert len(rows(world)) == 1


def test_after_a_release_only_newer_failures_count(world: World) -> None:
    """The surge that was judged does not trip it again; the next one does."""
    people = crowd(world, 3)
    look(world, TWO)
    release(world)
    seen = []
    for story in people:
        story.pay(Card(outcomes=("expired_card",)))
        seen.append(look(world, TWO))
    assert seen == [False, False, True]


def test_switched_off_nothing_trips_and_everything_goes_out(world: World) -> None:
    """The control: the same crowd is told at once."""
    people = crowd(world, 3)
    assert not look(world, None)
    assert [story.mails() for story in people] == [[(0, "payment_failed 1")]] * 3


def test_failures_on_test_clocks_trip_nothing(world: World) -> None:
    """Somebody tries things out."""
    crowd(world, 3, wall=False)
    assert not look(world, TWO)


def test_an_hour_later_it_is_history(world: World) -> None:
    """What failed more than an hour ago is part of the usual."""
    crowd(world, 3)
    let_counts_pass(world, timedelta(minutes=61))
    assert not look(world, TWO)


@pytest.mark.parametrize("wall", [True, False], ids=["wall", "clock"])
def test_a_mail_that_becomes_due_goes_out_after_the_release_once(world: World, wall: bool) -> None:
    """It stays planned, is looked at again and again, and goes out when nothing holds it any more."""
    trip(world)
    story = subscriber(world, "insufficient_funds", retries=LEFT_TO_US, wall=wall).until(0)
    for _ in range(3):
        later(world)
    assert (story.mails(), world.effects(), story.level()[0]) == ([], [], "warned")
    release(world)
    for _ in range(3):
        later(world)
    assert [name for _, name in story.mails()] == ["payment_failed 1"]


def test_a_held_case_leaves_the_scheduler_alone_for_some_minutes(world: World) -> None:
    """Thousands of them must not be looked at every few seconds."""
    trip(world)
    subscriber(world, "insufficient_funds", wall=True).until(0)
    (case,) = world.rows(models.cases)
    assert case.due_at == RENEWAL + timedelta(minutes=5)


def test_a_mail_that_was_decided_already_is_held_without_counting(world: World) -> None:
    """Looked at for days it is neither given up nor suppressed; released, it goes out once."""
    one = mailing(world)
    trip(world)
    for _ in range(MOST_ATTEMPTS + 5):
        one.carry_out()
        one.later(timedelta(minutes=6))
    effect = one.effect
    assert (effect.status, effect.attempts, effect.handed_at, one.mails) == ("pending", 0, None, 0)
    assert effect.last_error == "held back: the breaker is tripped"
    release(world)
    for _ in range(3):
        one.carry_out()
    assert (one.status, one.mails, one.effect.last_error) == ("sent", 1, None)


def test_attempts_of_before_still_count_after_the_hold(world: World) -> None:
    """The mail server has refused it twice: held or not, that was twice."""
    one = mailing(world)
    for _ in range(2):
        one.carry_out(Scripted(Deferred(451, "later")))
        one.later(timedelta(minutes=5))
    trip(world)
    one.carry_out()
    one.later(timedelta(minutes=6))
    assert (one.effect.attempts, one.effect.rendered is not None) == (2, True)
    release(world)
    one.carry_out()
    assert (one.status, one.effect.attempts) == ("sent", 3)


def test_what_may_have_been_sent_is_not_held(world: World) -> None:
    """Killed in the middle of a send: that it is unknown is said, tripped or not."""
    one = mailing(world)

    async def interrupted(message: object) -> None:
        raise ConnectionError

    class Killed:
        send = staticmethod(interrupted)

    with pytest.raises(ConnectionError):
        one.carry_out(Killed())  # type: ignore[arg-type]  # never answers
    trip(world)
    one.later()
    one.carry_out()
    assert one.status == "unknown"


def test_who_pays_during_the_hold_never_hears_of_it(world: World) -> None:
    """Nothing was said, so there is nothing to take back, and no receipt for a silence."""
    trip(world)
    story = subscriber(world, "insufficient_funds", wall=True).until(0)
    assert story.pay(Card())
    release(world)
    for _ in range(3):
        later(world)
    assert (story.mails(), world.effects(), story.level()[0]) == ([], [], "full")


def test_a_mail_decided_before_is_dropped_when_they_pay_during_the_hold(world: World) -> None:
    """The payment suppresses it, as ever; the release finds nothing to send."""
    one = mailing(world)
    trip(world)
    one.carry_out()
    one.story.pay(Card())
    release(world)
    one.later(timedelta(minutes=6))
    one.carry_out()
    assert (one.status, one.mails) == ("suppressed", 0)


def test_receipts_and_restored_access_are_not_held(world: World) -> None:
    """Whoever was told before and pays now has their access and a receipt at once."""
    story = subscriber(world, "insufficient_funds", wall=True, retries=LEFT_TO_US).until(14)
    assert story.level()[0] == "revoked"
    trip(world)
    story.pay(Card())
    assert story.level() == ("full", "good_standing")
    assert story.mails()[-1] == (14, "recovered")


def test_the_team_is_called_all_the_same(world: World) -> None:
    """The third failure calls a person; of three notices that were held, the customer gets the newest."""
    trip(world)
    story = subscriber(world, *["insufficient_funds"] * 3, wall=True, retries=TO_THE_END)
    story.until(8, stops=HALF_DAYS)
    assert story.calls() == [(8, "attempts")]
    assert story.mails() == []
    release(world)
    later(world)
    assert story.mails() == [(8, "payment_failed 3")]


def test_nothing_is_taken_while_it_is_tripped(world: World) -> None:
    """Stripe is not even asked; it is said once; after the release access is taken as it would have been."""
    story = subscriber(world, "insufficient_funds", wall=True, retries=LEFT_TO_US).until(13.9)
    trip(world)
    asked = len(world.stripe.requests)
    story.until(14)
    for _ in range(5):
        later(world)
    assert story.level() == ("warned", "payment_failed")
    assert len(world.stripe.requests) == asked
    assert kinds(story).count("access.kept") == 1
    release(world)
    later(world)
    assert story.level() == ("revoked", "grace_expired")
    assert kinds(story).count("access.taken") == 1
    assert story.mails()[-1] == (14, "access_ended")


def test_on_a_test_clock_nothing_is_taken_either(world: World) -> None:
    """The breaker holds everybody; released, the next look takes it though the clock stands still."""
    story = subscriber(world, "insufficient_funds", retries=LEFT_TO_US).until(13)
    trip(world)
    story.until(14)
    for _ in range(5):
        later(world)
    assert story.level()[0] == "warned"
    assert kinds(story).count("access.kept") == 1
    release(world)
    later(world)
    assert story.level()[0] == "revoked"


def test_held_past_the_end_of_grace_a_warning_still_promises_three_days(world: World) -> None:
    """The warnings were held: after the release they are given first, and access ends 72 h after."""
    story = subscriber(world, "insufficient_funds", wall=True, retries=LEFT_TO_US).until(10)
    trip(world)
    story.until(16, stops=HALF_DAYS)
    release(world)
    later(world)
    assert story.mails()[-1] == (16, "final_warning 72h")
    story.until(18.9)
    assert story.level()[0] == "warned"
    story.until(19.1)
    assert story.level()[0] == "revoked"


def test_an_earlier_hold_holds_nothing_now(world: World) -> None:
    """The one row that counts is the one nobody has released."""
    trip(world)
    release(world)
    assert commit(world, statements.tripped) is None
    story = subscriber(world, "insufficient_funds", wall=True).until(0)
    assert story.mails() == [(0, "payment_failed 1")]
