"""F21: the database comes from a backup of an hour ago; Stripe, the mail server and customers went on."""

from __future__ import annotations

from datetime import timedelta

from db import models, restores
from sandbox.inbox import Inbox, mail_inbox
from sandbox.postgres import PostgresServer
from tests.chaos.conftest import Tell
from tests.chaos.disaster import KEY, Disaster, disaster, levels, mark, start_again
from tests.scenarios.world import TEAM_ADDRESS, World

FEW, MANY = 5, 20


def repeated(lost: Disaster, inbox: Inbox) -> list[str]:
    """Message-IDs of customers' mails of before that were delivered once more."""
    again = [str(mail.message["Message-ID"]) for mail in inbox.messages if not mail.is_to(TEAM_ADDRESS)]
    return [each for number, each in enumerate(again) if each in lost.copies or each in again[:number]]


def names(steps: frozenset[str]) -> set[str]:
    """What mails these steps are."""
    return {step.partition(":")[0] for step in steps}


def missing(lost: Disaster, world: World) -> int:
    """Events that had been taken in by the end, and are not here."""
    here = {row.event_id for row in world.rows(models.inbox, models.inbox.c.event_id)}
    return len(lost.events - here)


def wrong(lost: Disaster, world: World) -> dict[str, tuple[str | None, str]]:
    """Whose access is not what it would be without the disaster: (now, then)."""
    now = levels(world)
    return {who: (now.get(who), level) for who, level in lost.levels.items() if now.get(who) != level}


def listed(world: World) -> set[str]:
    """The steps that a person is told of."""

    async def read() -> set[str]:
        async with world.services.engine.connect() as connection:
            return {each.step for each in await restores.doubtful(connection)}

    return world.run(read())


def test_an_hour_old_backup_loses_nothing_and_mails_nobody_twice(
    postgres_server: PostgresServer, migrated_template: str, tell: Tell, long: bool
) -> None:
    """With the procedure whatever the mail server; without it only where a service knows our keys.

    One life is restored several times, since to live it takes longest.
    """
    with disaster(postgres_server, migrated_template, MANY if long else FEW) as lost:
        forgotten_with_plain_smtp(lost, tell)
        forgotten_with_keys(lost, tell)
        followed(lost, tell)


def followed(lost: Disaster, tell: Tell) -> None:
    """What may have been sent in the hour is listed and not sent again; what falls due later is sent."""
    with mail_inbox() as fresh, lost.restored_world(fresh) as world:
        gone = lost.events - {row.event_id for row in world.rows(models.inbox, models.inbox.c.event_id)}
        waiting = mark(world, lost)
        start_again(world)
        sent = {row.step for row in world.rows(models.outbox) if row.kind == "mail" and row.status == "sent"}
        doubtful = listed(world)
        tell(
            "F21",
            procedure="followed",
            mail="any",
            events_of_the_hour=len(gone),
            lost=missing(lost, world),
            wrong_state=len(wrong(lost, world)),
            delivered_twice=len(repeated(lost, fresh)),
            listed_as_unknown=len(doubtful),
            sent_since=len(sent - lost.sent_before),
            waiting_at_the_backup=waiting,
        )
        assert gone
        assert waiting > 0
        assert names(lost.sent_meanwhile) >= {"payment_failed", "access_ended", "recovered"}
        assert names(lost.sent_since) >= {"payment_failed", "access_ended"}
        assert (missing(lost, world), wrong(lost, world), repeated(lost, fresh)) == (0, {}, [])
        # Whatever the hour had sent is listed, and what is sent since is what fell due since, and all of it.
        assert sent == lost.sent_before | lost.sent_since
        assert doubtful == lost.sent_meanwhile
        before = len(fresh.messages)
        world.advance(None, world.now + timedelta(days=3, hours=12))
        assert len(fresh.messages) > before
        assert repeated(lost, fresh) == []


def forgotten_with_keys(lost: Disaster, tell: Tell) -> None:
    """Nobody has said that it is a backup: each mail goes out again, with the same key."""
    with mail_inbox() as fresh, lost.restored_world(fresh) as world:
        fresh.know_keys(KEY, lost.keys)
        start_again(world)
        tell(
            "F21",
            procedure="forgotten",
            mail="remembers keys",
            lost=missing(lost, world),
            wrong_state=len(wrong(lost, world)),
            delivered_twice=len(repeated(lost, fresh)),
        )
        assert (missing(lost, world), wrong(lost, world), repeated(lost, fresh)) == (0, {}, [])


def forgotten_with_plain_smtp(lost: Disaster, tell: Tell) -> None:
    """The control: customers are mailed twice, so that what the others show is worth something."""
    with mail_inbox() as fresh, lost.restored_world(fresh) as world:
        start_again(world)
        twice = repeated(lost, fresh)
        tell("F21 control", procedure="forgotten", mail="plain SMTP", delivered_twice=len(twice))
        assert twice
        assert missing(lost, world) == 0
