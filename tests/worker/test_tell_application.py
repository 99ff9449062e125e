"""What happens is told to the merchant's application, whatever that does with it: in a real receiver."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db import endpoints, models
from outbound.post import Poster
from outbound.sending import Outcome
from outbound.signing import new_secret
from sandbox.stripe import Card, custom_schedule
from tests.outbound.receiver import HANG, Receiver, receiver
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import POSTER, TEAM_ADDRESS, World
from tests.worker.breaking import commit, look
from worker.queues import ALARM, WEBHOOKS
from worker.usecases.sound_alarm import sound_alarm
from worker.usecases.tell_application import FAILING_TOO_LONG, JITTER, WAITS, tell_each, wait_after, why_off

SECRET = new_secret()
ONCE = custom_schedule(30, at_end="past_due")


@pytest.fixture(scope="module")
def running() -> Iterator[Receiver]:
    with receiver(SECRET) as one:
        yield one


@pytest.fixture
def shop(running: Receiver) -> Receiver:
    """The merchant's application, which has heard nothing yet."""
    running.heard.clear()
    running.headers.clear()
    running.answers.clear()
    running.requests = running.refused = 0
    running.on_request = None
    return running


def listens(world: World, url: str, secret: str = SECRET) -> int:
    """An endpoint is added."""
    number = commit(world, lambda connection: endpoints.add(connection, url, secret))
    assert number is not None
    return number


def failed(world: World, *outcomes: str) -> Story:
    """A customer whose renewal has just failed: two events."""
    return subscriber(world, *(outcomes or ("insufficient_funds",)), retries=ONCE).until(0)


def rows(world: World) -> list[Any]:
    return sorted(world.rows(models.deliveries), key=lambda row: row.id)


def endpoint(world: World, number: int = 1) -> Any:
    return next(row for row in world.rows(models.endpoints) if row.id == number)


def test_a_case_is_told_from_its_beginning_to_its_end(world: World, shop: Receiver) -> None:
    """Each thing once, verified, numbered in order, and after the commit at once."""
    listens(world, shop.url)
    story = subscriber(world, *["insufficient_funds"] * 3, retries=custom_schedule(3, 5, 30)).until(9)
    assert story.pay(Card())
    assert shop.refused == 0
    assert shop.types() == [
        "access.changed",
        "case.opened",
        "access.changed",
        "case.escalated",
        "case.recovered",
        "case.closed",
        "access.changed",
    ]
    told = sorted((event["data"] for _, event in shop.heard), key=lambda data: data["sequence"])
    assert [data["sequence"] for data in told] == [1, 2, 3, 4, 5, 6, 7]
    assert {(data["source"], data["customer"]) for data in told} == {("stripe", story.customer.id)}
    assert {data["subscription"] for data in told} == {story.subscription.id}
    assert {data["case"] for data in told} == {None, story.invoice.id}
    assert [(data["level"], data["access"]) for data in told if "level" in data] == [
        ("full", True),
        ("warned", True),
        ("full", True),
    ]
    assert told[1]["cause"] == "renewal"
    assert told[2]["until"] == told[1]["grace_ends_at"]
    assert {row.status for row in rows(world)} == {"delivered"}
    assert len({message for message, _ in shop.heard}) == 7


def test_what_was_not_accepted_is_told_again_with_the_same_id(world: World, shop: Receiver) -> None:
    """After five seconds, five minutes and so on, signed anew each time."""
    listens(world, shop.url)
    shop.answers.extend([200, 500, 200, 503])
    story = failed(world)
    assert len(shop.heard) == 2
    [waiting] = [row for row in rows(world) if row.status == "pending"]
    assert (waiting.attempts, waiting.code, waiting.error) == (1, 500, "it answered 500")
    world.machine_time(timedelta(seconds=7))
    assert endpoint(world).failing_since is not None
    assert len(shop.heard) == 2
    world.machine_time(timedelta(minutes=7))
    assert shop.types() == ["access.changed", "case.opened", "access.changed"]
    assert endpoint(world).failing_since is None
    again = [each["webhook-id"] for each in shop.headers]
    assert len(again) == 5
    assert len(set(again)) == 3
    assert again[-1] == again[-2] == shop.heard[-1][0]
    assert story.level()[0] == "warned"


def test_after_three_days_an_event_is_given_up(world: World, shop: Receiver) -> None:
    """Ten tries, and the endpoint goes on being told what is new."""
    listens(world, shop.url)
    shop.answers.extend([200, *[500] * 20])
    story = failed(world)
    for wait in (*WAITS, timedelta(hours=24)):
        world.machine_time(wait * (1 + JITTER))
    assert [(row.status, row.attempts, row.code) for row in rows(world)] == [
        ("delivered", 1, 200),
        ("failed", 10, 500),
        ("failed", 10, 500),
    ]
    assert shop.requests == 1 + 2 * 10
    assert story.pay(Card())
    assert shop.types()[1:] == ["case.recovered", "case.closed", "access.changed"]


@pytest.mark.parametrize(
    ("attempt", "asked", "least", "most"),
    [
        (1, None, 5, 6),
        (2, None, 300, 360),
        (9, None, 86_400, 103_680),
        (1, timedelta(minutes=2), 120, 120),
        (1, timedelta(days=30), 86_400, 86_400),
        (9, timedelta(seconds=1), 86_400, 103_680),
    ],
)
def test_waits_grow_and_heed_what_is_asked(
    attempt: int, asked: timedelta | None, least: float, most: float
) -> None:
    """Up to a fifth longer than planned, and never longer than a day because somebody asks for it."""
    waits = [wait_after(attempt, asked) for _ in range(50)]
    assert all(wait is not None and least <= wait.total_seconds() <= most for wait in waits)
    assert wait_after(len(WAITS) + 1, None) is None


def test_the_waits_together_are_three_days() -> None:
    assert timedelta(days=3) < sum(WAITS, timedelta()) < timedelta(days=3.5)


def test_an_endpoint_that_is_gone_is_told_nothing_more_and_the_team_is_called(
    world: World, shop: Receiver
) -> None:
    """410: at once. What waits has failed, what happens is kept, and a person hears of it by mail."""
    listens(world, shop.url)
    story = failed(world)
    shop.answers.append(410)
    assert story.pay(Card())
    assert endpoint(world).disabled_why == "it answered 410, which means gone for good"
    assert {row.status for row in rows(world)} <= {"delivered", "failed"}
    look(world, None)
    while world.queue:
        wakeup, ids = world.queue.popleft()
        if wakeup is ALARM:
            world.run(sound_alarm(world.services, world.courier, ids))
    [mail] = world.inbox.to(TEAM_ADDRESS)
    assert mail.subject == "Acme: a webhook endpoint is switched off"
    for part in ("endpoint 1 at 127.0.0.1", "410", "dunning webhooks replay 1 --failed"):
        assert part in mail.text
    assert SECRET not in mail.text
    asked = shop.requests
    failed(world)
    assert shop.requests == asked
    assert len(world.rows(models.outgoing)) > len(rows(world))


def test_an_endpoint_that_accepts_nothing_for_five_days_is_switched_off() -> None:
    """Not a moment earlier, whatever it answers."""
    nearly = FAILING_TOO_LONG - timedelta(seconds=1)
    assert why_off(Outcome(500, "it answered 500"), nearly) is None
    assert why_off(Outcome(None, "no connection"), FAILING_TOO_LONG) == "it has accepted nothing for 5 days"


def test_five_days_are_counted_from_the_first_failure_on(world: World, shop: Receiver) -> None:
    """One success in between, and they begin anew."""
    listens(world, shop.url)
    shop.answers.extend([500] * 100)
    failed(world)
    world.run(world.stage.let_pass(timedelta(days=5)))
    world.tick()
    one = endpoint(world)
    assert (one.disabled_why, one.failing_since is not None) == ("it has accepted nothing for 5 days", True)
    assert {row.status for row in rows(world)} == {"failed"}


def test_a_slow_endpoint_holds_up_nobody_else(world: World, shop: Receiver) -> None:
    """While one hangs, the other hears everything; the slow one is asked by one worker alone."""
    with receiver(SECRET) as slow:
        slow.answers.extend([HANG] * 10)
        listens(world, slow.url)
        listens(world, shop.url)
        world.held = {WEBHOOKS}
        failed(world)

        async def story() -> tuple[list[str], int]:
            hanging = [asyncio.create_task(tell_each(world.services, POSTER, [1, 2])) for _ in range(3)]
            async with asyncio.timeout(5):
                while len(shop.heard) < 3 or slow.requests < 3:  # noqa: ASYNC110  # other threads count
                    await asyncio.sleep(0.01)
            for task in hanging:
                task.cancel()
            await asyncio.gather(*hanging, return_exceptions=True)
            return shop.types(), slow.requests

        assert world.run(story()) == (["access.changed", "case.opened", "access.changed"], 3)


def test_a_worker_killed_before_it_wrote_the_answer_down(world: World, shop: Receiver) -> None:
    """The receiver has it, nobody knows: it is told again under the same id, which is how it can tell."""
    listens(world, shop.url)
    world.held = {WEBHOOKS}
    failed(world)

    async def killed() -> None:
        work = asyncio.create_task(tell_each(world.services, POSTER, [1]))
        while len(shop.heard) < 3:  # noqa: ASYNC110  # another thread counts
            await asyncio.sleep(0)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    world.run(killed())
    left = [row for row in rows(world) if row.status == "pending"]
    world.held = set()
    world.machine_time(timedelta(minutes=2))
    assert {row.status for row in rows(world)} == {"delivered"}
    assert len(shop.heard) == 3 + len(left)
    assert len({message for message, _ in shop.heard}) == 3


def test_while_a_secret_is_replaced_old_and_new_receivers_verify(world: World, shop: Receiver) -> None:
    """Both signatures stand in the header; a day later only the new one."""
    listens(world, shop.url)
    new = new_secret()
    commit(world, lambda connection: endpoints.rotate(connection, 1, new))
    story = failed(world)
    assert (len(shop.heard), shop.refused) == (3, 0)
    world.run(world.stage.let_pass(timedelta(hours=25)))
    assert story.pay(Card())
    assert (len(shop.heard), shop.refused) == (3, 3)


def test_an_address_is_judged_at_each_delivery(world: World, shop: Receiver) -> None:
    """Added while it was allowed; now it is not, and nobody connects."""
    listens(world, shop.url)
    world.held = {WEBHOOKS}
    failed(world)
    world.run(tell_each(world.services, replace(POSTER, rules=Poster().rules), [1]))
    assert shop.requests == 0
    assert {row.error for row in rows(world)} == {"127.0.0.1 is at a private address"}


def test_one_endpoint_in_trouble_of_ours_keeps_no_other_waiting(world: World, shop: Receiver) -> None:
    """A secret that cannot sign is a fault in the log; the other endpoint hears everything."""
    listens(world, shop.url.replace("shop=1", "shop=2"), "whsec_broken")
    listens(world, shop.url)
    failed(world)
    assert len(shop.heard) == 3


def test_whatever_writes_a_bounce_tells_of_it(world: World, shop: Receiver) -> None:
    """The scheduler finds what nobody was woken for."""
    from db import journal
    from db.journal import Entry

    listens(world, shop.url)
    story = failed(world)
    data = {"step": f"payment_failed:{story.invoice.id}:1", "by": "resend"}

    async def bounce(connection: AsyncConnection) -> None:
        entry = Entry(1, world.now, "mail.bounced", "hard_bounce", story.invoice.id, data)
        await journal.write(connection, [entry])

    commit(world, bounce)
    world.machine_time(timedelta(seconds=3))
    _, event = shop.heard[-1]
    assert event["type"] == "mail.bounced"
    assert (event["data"]["bounce"], event["data"]["mail"]) == ("hard_bounce", "payment_failed")
    assert event["data"]["subscription"] == story.subscription.id
