"""A database that is lost, and brought back as it was an hour before, while everybody else went on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from db import models
from db.reconciliations import EVENTS
from dunning.restoring import Gap
from emails.services import templates
from sandbox.inbox import Inbox, mail_inbox
from sandbox.postgres import PostgresServer
from sandbox.stripe import Card, SimulatedStripe, custom_schedule, simulated_stripe
from sandbox.stripe.records import Subscription
from tests.scenarios.stage import Stage
from tests.scenarios.world import PLAIN, START, TEAM_ADDRESS, World
from tests.worker.reconciling import carry_out, compare
from worker.queues import MAIL
from worker.usecases.reconcile import OVERLAP
from worker.usecases.restored import restored

KEY = "Resend-Idempotency-Key"
HOUR = timedelta(hours=1)
# Customers come in over so long, so that their lives pass the same moments one by one: before the backup, in
# the hour that is lost, and while everything is started again.
SPREAD = 2 * HOUR
STARTING = timedelta(minutes=20)
# Renewals are charged an hour after their draft, a month after the start; grace is fourteen days.
FAILS = timedelta(days=31, hours=1)
GRACE = timedelta(days=14)
# The last charge is on the thirteenth: with one to come, access would be kept until it has failed too.
CHARGES = custom_schedule(3, 5, 5, at_end="past_due")
# From a Sunday on: in the days before, a holiday keeps access from being taken.
BEGIN = START + timedelta(days=2)
BACKUP = BEGIN + FAILS + GRACE + timedelta(minutes=30)


@dataclass
class Disaster:
    """What went on in the hour after the backup, up to `at`, and would have while all is started again.

    `copies` are the Message-IDs of all customers' mails up to `at`, and `keys` what they bear for a mail
    service; `events` had come in by then. Of the steps, those of `sent_before` are in the backup, and those
    of `sent_meanwhile` are lost; `sent_since` and `levels` are those of a life that went on undisturbed.
    """

    server: PostgresServer
    stripe: SimulatedStripe
    backup: str
    at: datetime
    copies: Sequence[str]
    keys: Sequence[str]
    events: frozenset[str]
    levels: dict[str, str]
    sent_before: frozenset[str]
    sent_meanwhile: frozenset[str]
    sent_since: frozenset[str]
    heard: int
    _number: int = field(default=0)

    @contextmanager
    def restored_world(self, inbox: Inbox) -> Iterator[World]:
        """The backup, brought back at the end of that hour; nobody has done anything with it yet."""
        self._number += 1
        name = f"restored_{self._number}"
        url = self.server.create_database(name, template=self.backup)
        try:
            with closing(Stage(url)) as stage, closing(_world(stage, self.stripe, inbox)) as world:
                world.now, world._heard = self.at, self.heard
                yield world
        finally:
            self.server.drop_database(name)


def _world(stage: Stage, stripe: SimulatedStripe, inbox: Inbox) -> World:
    world = World(stage, stripe, inbox, policy=PLAIN)
    sender = replace(world.courier.sender, headers=templates("resend"))
    world.courier = replace(world.courier, sender=sender)
    return world


@contextmanager
def disaster(server: PostgresServer, template: str, customers: int) -> Iterator[Disaster]:
    """Customers fail, are warned, lose access and pay, some before the backup, some in the hour after it."""
    url = server.create_database("lived", template=template)
    try:
        with (
            mail_inbox() as inbox,
            simulated_stripe(now=START, policy=CHARGES) as stripe,
            closing(Stage(url)) as stage,
            closing(_world(stage, stripe, inbox)) as world,
        ):
            yield _lived(world, server, url, customers)
    finally:
        server.drop_database("lived")
        server.drop_database("backup")


def _lived(world: World, server: PostgresServer, url: str, customers: int) -> Disaster:
    engine = world.stripe.engine
    price = engine.create_price(1900)
    # Whose grace ends, who is told on day 3, and whose charge fails, all around the backup.
    begins = [
        BEGIN + days + n * SPREAD / customers
        for days in (timedelta(0), timedelta(days=11), GRACE)
        for n in range(customers)
    ]
    bought: list[Subscription] = []
    for begin in begins:
        _live(world, begin)
        card = Card(outcomes=["ok", *["insufficient_funds"] * 9], country="GB")
        customer = engine.create_customer(f"c{len(bought)}@customer.example", card=card)
        bought.append(engine.create_subscription(customer, price))
        world.settle()
    _live(world, BACKUP - timedelta(minutes=10))
    # Of what fails right before the backup the mail is decided, and not sent.
    world.held = {MAIL}
    engine.advance(None, BACKUP)
    world.now = BACKUP
    world.settle()
    sent_before = frozenset(_sent(world))
    world.run(world.services.engine.dispose())
    server.create_database("backup", template=urlsplit(url).path.strip("/"))
    world.held = set()
    _live(world, BACKUP + HOUR / 2)
    for one in (0, customers, 2 * customers):
        engine.pay_invoice(engine.latest_invoice(bought[one]), card=Card())
    engine.cancel(bought[customers + 1])
    world.settle()
    _live(world, BACKUP + HOUR)
    at, heard, sent = world.now, len(engine.events()), frozenset(_sent(world))
    mails = list(world.inbox.messages)
    events = frozenset(row.event_id for row in world.rows(models.inbox, models.inbox.c.event_id))
    _live(world, at + STARTING)
    world.run(world.services.engine.dispose())
    return Disaster(
        server=server,
        stripe=world.stripe,
        backup="backup",
        at=at,
        copies=[str(mail.message["Message-ID"]) for mail in mails if not mail.is_to(TEAM_ADDRESS)],
        keys=[str(mail.message[KEY]) for mail in mails],
        events=events,
        levels=levels(world),
        sent_before=sent_before,
        sent_meanwhile=sent - sent_before,
        sent_since=frozenset(_sent(world)) - sent,
        heard=heard,
    )


def _live(world: World, to: datetime) -> None:
    """Let everything happen that is due until then."""
    while world.now < to:
        world.advance(None, min(world.next_due(None, world.now) or to, to))


def _sent(world: World) -> set[str]:
    return {row.step for row in world.rows(models.outbox) if row.kind == "mail" and row.status == "sent"}


def levels(world: World) -> dict[str, str]:
    """Everybody's access."""
    owners = {row.id: row.ref for row in world.rows(models.customers)}
    return {owners[row.customer_id]: row.level for row in world.rows(models.access)}


def mark(world: World, lost: Disaster) -> int:
    """What `dunning restored mark` does."""

    # Restoring takes its time, in which what had been put off becomes due.
    world.run(world.stage.let_pass(HOUR))

    async def write() -> int:
        async with world.services.engine.begin() as connection:
            return await restored(connection, Gap(BACKUP, lost.at), "maria")

    return world.run(write())


def start_again(world: World) -> None:
    """Schedulers and workers do what is due, and what Stripe tells, of the hour that is lost at last."""
    world.now += STARTING
    world.settle()
    world.tick()
    assert carry_out(world, EVENTS, BACKUP - OVERLAP) is None
    for _ in range(4):
        world.tick()
    compare(world)
    world.tick()


__all__ = ["HOUR", "KEY", "Disaster", "disaster", "levels", "mark", "start_again"]
