"""What a mail service says finds its mail, changes what is planned, and is written down; once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db import models
from emails.reference import reference
from providers.mail.services import readers
from sandbox.stripe import Card
from tests.providers import mail_bodies as bodies
from tests.scenarios.story import subscriber
from tests.scenarios.world import World
from tests.worker.mailing import ONCE, Mailing, mailing
from worker.usecases.apply_events import apply_events

ADA, BILLS = "ada@customer.example", "bills@customer.example"


def hear(world: World, *events: dict[str, Any], source: str = "resend") -> list[str]:
    """Store these events as the receiver does, and do all that follows; what became of each row."""

    async def story() -> list[int]:
        async with world.services.engine.begin() as connection:
            ids = [await store_mail_event(connection, source, each) for each in events]
        await apply_events(world.services, ids)
        await world.drain()
        return ids

    ids = world.run(story())
    rows = {row.id: row.status for row in world.rows(models.inbox)}
    return [rows[each] for each in ids]


async def store_mail_event(connection: Any, source: str, event: dict[str, Any]) -> int:
    stored = models.inbox.insert().returning(models.inbox.c.id)
    number = datetime.now(UTC).isoformat()
    values = {
        "source": source, "event_id": number, "type": "mail", "livemode": False,
        "status": "pending", "payload": json.dumps(event).encode(),
    }  # fmt: skip
    return int((await connection.execute(stored.values(values))).scalar_one())


def about(step: str, kind: str = "email.bounced", **data: Any) -> dict[str, Any]:
    """What Resend says of the mail of a step."""
    headers = [{"name": "X-Dunning-Reference", "value": reference(step)}]
    return bodies.resend(kind, **({"headers": headers} | data))


def journal(world: World, family: str = "mail") -> list[tuple[str, str | None, dict[str, Any]]]:
    rows = sorted(world.rows(models.journal), key=lambda row: row.id)
    told = ("bounced", "undelivered", "delayed")
    return [
        (row.kind, row.reason, row.data) for row in rows if row.kind in {f"{family}.{each}" for each in told}
    ]


def results(world: World) -> list[tuple[str, str]]:
    steps = {row.id: row.step for row in world.rows(models.outbox)}
    return sorted((steps[row.outbox_id], row.kind) for row in world.rows(models.mail_results))


@pytest.fixture
def one(world: World) -> Mailing:
    """A notice that was accepted."""
    made = mailing(world)
    made.carry_out()
    assert made.status == "sent"
    world.held.clear()
    return made


def test_a_hard_bounce_is_written_down_and_acted_upon(one: Mailing) -> None:
    """In one transaction: the journal as others read it, and the call to the team."""
    world, step = one.world, one.effect.step
    assert hear(world, about(step)) == ["done"]
    assert journal(world) == [("mail.bounced", "hard_bounce", {"step": step, "by": "resend"})]
    (entry,) = [row for row in world.rows(models.journal) if row.kind == "mail.bounced"]
    assert (entry.case, entry.at) == (one.effect.case, one.story.now)
    assert [name for _, name in one.story.calls()] == ["unreachable"]


def test_twice_and_in_any_order_is_once(one: Mailing) -> None:
    """Nothing is journalled again, nobody is called again."""
    step = one.effect.step
    said = [about(step, "email.delivered"), about(step), about(step), about(step, "email.delivered")]
    assert hear(one.world, *said) == ["done"] * 4
    assert hear(one.world, about(step)) == ["done"]
    assert results(one.world) == [(step, "delivered"), (step, "hard_bounce")]
    assert len(journal(one.world)) == 1
    assert [name for _, name in one.story.calls()] == ["unreachable"]


def test_what_is_not_ours_is_put_aside(one: Mailing) -> None:
    """The merchant's other mails: no content of theirs is kept. What says nothing at all is done."""
    other = about("newsletter:1")
    assert hear(one.world, other, bodies.resend("email.opened")) == ["ignored", "done"]
    (row,) = [row for row in one.world.rows(models.inbox) if row.status == "ignored"]
    assert (row.payload, row.last_error) == (None, "no mail of ours")
    assert results(one.world) == []


def test_without_a_mark_it_is_found_by_its_address(one: Mailing) -> None:
    """The last mail there, of a few days; never by a delivery, which may be of any mail."""
    now = datetime.now(UTC)
    bare = {"to": [ADA.upper()], "headers": None}

    def at(moment: datetime, kind: str = "email.bounced") -> dict[str, Any]:
        return bodies.resend(kind, **bare) | {"created_at": moment.isoformat()}

    far = [at(now + timedelta(days=8)), at(now - timedelta(days=1)), at(now, "email.delivered")]
    assert hear(one.world, *far) == ["ignored"] * 3
    assert hear(one.world, at(now)) == ["done"]
    assert results(one.world) == [(one.effect.step, "hard_bounce")]


def test_it_may_come_before_the_mail_server_has_answered(world: World) -> None:
    """The mark is stored before the first byte is sent; what the server says later changes nothing."""
    one = mailing(world)
    world.inbox.hang(1)
    step = one.effect.step

    async def bounced_meanwhile() -> None:
        async with world.services.engine.begin() as connection:
            row = models.outbox.update().where(models.outbox.c.id == one.row)
            await connection.execute(row.values(reference=reference(step), recipient=ADA, status="sending"))

    world.run(bounced_meanwhile())
    assert hear(world, about(step)) == ["done"]

    async def answered() -> None:
        async with world.services.engine.begin() as connection:
            row = models.outbox.update().where(models.outbox.c.id == one.row)
            await connection.execute(row.values(status="sent", accepted_at=one.story.now))

    world.run(answered())
    one.story.until(4)
    assert [name for _, name in one.story.mails()] == []


def test_an_address_that_was_corrected_meanwhile(one: Mailing) -> None:
    """The bounce is of the old one: the notice is said once more, to the new one, and nobody is called."""
    step = one.effect.step
    one.world.change_customer(one.story.customer, email="new@customer.example")
    assert hear(one.world, about(step)) == ["done"]
    assert one.story.calls() == []
    assert [mail.recipients for mail in one.world.inbox.messages] == [(ADA,), ("new@customer.example",)]


def test_a_result_of_a_year_ago_is_taken_as_any_other(one: Mailing) -> None:
    """The case is long over: it is noted, and nothing follows but that the address is known."""
    step = one.effect.step
    assert one.story.pay(Card())
    one.story.until(3)
    before = len(one.world.inbox.messages)
    assert hear(one.world, about(step) | {"created_at": "2020-01-01T00:00:00Z"}) == ["done"]
    assert (len(one.world.inbox.messages), one.story.calls()) == (before, [])


def test_a_mail_to_the_team_that_comes_back(world: World) -> None:
    """Is written down under a name of its own, and gives up nobody's address."""
    subscriber(world, "insufficient_funds", email=None, retries=ONCE).until(0)
    world.no_address_comes()
    call = next(row.step for row in world.rows(models.outbox) if row.kind == "team")
    assert hear(world, about(call)) == ["done"]
    assert journal(world) == []
    assert journal(world, "team") == [("team.bounced", "hard_bounce", {"step": call, "by": "resend"})]


def test_what_cannot_be_read_is_retired(one: Mailing) -> None:
    """Shown to whoever looks; what Amazon did not sign, or says of another topic, is never believed."""
    assert hear(one.world, {"type": "email.delivered", "data": {}}) == ["dead"]
    foreign = {"Type": "Notification", "TopicArn": "x", "Message": "{}"}
    assert hear(one.world, foreign, source="ses") == ["dead"]
    errors = [row.last_error for row in one.world.rows(models.inbox) if row.status == "dead"]
    assert sorted(error.partition(":")[0] for error in errors) == ["MalformedEventError", "NotGenuineError"]
    assert results(one.world) == []


def test_a_fault_of_one_row_costs_no_other(one: Mailing) -> None:
    """It is kept with its error and tried again."""

    async def broken(_: Any) -> Any:
        raise ZeroDivisionError

    services = replace(one.world.services, mail_services={**readers(), "postmark": broken})
    one.world.services = services
    assert hear(one.world, bodies.postmark(), source="postmark") == ["pending"]
    assert hear(one.world, about(one.effect.step)) == ["done"]
