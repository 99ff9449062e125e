"""One subscriber's story, told in days since the charge that failed first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from db import models
from emails.message import message_id
from emails.reference import mail_key
from sandbox.mail import Mail
from sandbox.stripe import Card, RetryPolicy
from sandbox.stripe.records import Charge, Customer, Invoice, PaymentMethod, Subscription, TestClock
from tests.scenarios.world import DOMAIN, START, TEAM_ADDRESS, World

# The first renewal: a month after the start, charged an hour after its draft.
RENEWAL = START + timedelta(days=31, hours=1)


@dataclass
class Story:
    """A customer whose first payment went through; `email` is where their mails are looked for."""

    world: World
    clock: TestClock | None
    customer: Customer
    subscription: Subscription
    email: str
    renewal: datetime = RENEWAL

    # what happens

    def until(self, day: float, *, stops: Iterable[float] | None = None) -> Story:
        """Live on until `day` (0 = the renewal's charge), settling whenever there is something to do.

        With `stops` settling on these days alone, as a worker that was away in between.
        """
        to = self.renewal + timedelta(days=day)
        while self.now < to:
            if stops is None:
                stop = self.world.next_due(self.clock, self.now)
            else:
                ahead = (self.renewal + timedelta(days=stop) for stop in stops)
                stop = min((stop for stop in ahead if stop > self.now), default=to)
            self.world.advance(self.present_clock, min(stop or to, to))
        return self

    @property
    def present_clock(self) -> TestClock | None:
        return self.world.stripe.engine.refresh(self.clock) if self.clock else None

    @property
    def now(self) -> datetime:
        return self.world.stripe.engine.now(self.clock)

    def pay(self, card: Card | None = None, *, confirm: bool = False, invoice: Invoice | None = None) -> bool:
        """The customer pays by hand; whether it worked. Settles."""
        engine = self.world.stripe.engine
        attempt = engine.pay_invoice(invoice or self.invoice, card=card, on_session=confirm)
        self.world.settle()
        return attempt.succeeded

    @property
    def invoice(self) -> Invoice:
        return self.world.stripe.engine.latest_invoice(self.subscription)

    @property
    def status(self) -> str:
        return self.world.stripe.engine.refresh(self.subscription).status

    @property
    def charges(self) -> list[Charge]:
        return self.world.stripe.engine.charges(self.customer)

    @property
    def card(self) -> PaymentMethod:
        customer = self.world.stripe.engine.refresh(self.customer)
        return self.world.stripe.engine.get(PaymentMethod, customer.default_payment_method or "")

    # what came of it

    def day(self, moment: datetime) -> float:
        """Days since the first failure, to the tenth, whole where they are."""
        days = round((moment - self.renewal) / timedelta(days=1), 1)
        return int(days) if days == int(days) else days

    def mails(self) -> list[tuple[float, str]]:
        """(day, mail) of everything in the customer's inbox, by the date each mail bears."""
        return self._table(self.inbox)

    def calls(self) -> list[tuple[float, str]]:
        """(day, why) of everything the team was told by mail about this customer."""
        return self._table([m for m in self.world.inbox.to(TEAM_ADDRESS) if self.customer.id in m.text])

    @property
    def inbox(self) -> list[Mail]:
        return self.world.inbox.to(self.email)

    def text(self, number: int = -1) -> str:
        """Subject and text of one of the customer's mails, the last by default."""
        return plain(self.inbox[number])

    def _table(self, mails: list[Mail]) -> list[tuple[float, str]]:
        box = models.outbox
        steps = {row.step for row in self.world.rows(box, box.c.step)}
        sources = {row.source for row in self.world.rows(models.customers, models.customers.c.source)}
        keys = {mail_key(source, step): step for source in sources for step in steps}
        names = {message_id(key, DOMAIN): _short(step) for key, step in keys.items()}
        return [
            (self.day(mail.message["Date"].datetime), names[str(mail.message["Message-ID"])])
            for mail in mails
        ]

    def withheld(self) -> list[tuple[str, str]]:
        """(step, status) of the effects that were decided and came to nothing."""
        return [(_short(step), status) for step, status in self.world.effects() if status != "sent"]

    def access(self) -> list[tuple[float, str, str]]:
        """(day, level, reason) of every change of the access level."""
        return [
            (self.day(row.at), row.data["to"], row.reason)
            for row in self.journal()
            if row.kind == "access.changed"
        ]

    def level(self) -> tuple[str, str]:
        """The access level now, and why."""
        row = self._one(models.access, models.access.c.customer_id)
        return row.level, row.reason

    def until_when(self) -> float | None:
        """The day on which the present level ends by itself."""
        row = self._one(models.access, models.access.c.customer_id)
        return row.until and self.day(row.until)

    def outcome(self) -> str | None:
        """How the only case ended."""
        return str(self._one(models.cases, models.cases.c.customer_id).outcome or "") or None

    def journal(self) -> list[Any]:
        rows = self.world.rows(models.journal)
        row_id = self._one(models.customers, models.customers.c.id).id
        return sorted((row for row in rows if row.customer_id == row_id), key=lambda row: row.id)

    def _one(self, table: Any, owner: Any) -> Any:
        return self.world.run(self._find(table, owner))

    async def _find(self, table: Any, owner: Any) -> Any:
        async with self.world.services.engine.connect() as connection:
            query = select(table).join_from(table, models.customers, owner == models.customers.c.id)
            if table is models.customers:
                query = select(table)
            return (await connection.execute(query.where(models.customers.c.ref == self.customer.id))).one()


def plain(mail: Mail) -> str:
    """Subject and text with ordinary line ends and spaces."""
    return f"{mail.subject}\n\n{mail.text}".replace("\r\n", "\n").replace("\N{NO-BREAK SPACE}", " ")


def _short(step: str) -> str:
    """`payment_failed:in_1:2` as "payment_failed 2"."""
    kind, _, *rest = step.split(":")
    if kind == "escalation":
        return " ".join(rest)
    return " ".join([kind, *rest[-1:]])


def subscriber(
    world: World,
    *outcomes: str,
    email: str | None = "ada@customer.example",
    retries: RetryPolicy | None = None,
    amount: int = 1900,
    currency: str = "usd",
    interval: Any = "month",
    trial_days: int = 0,
    wall: bool = False,
    card: Card | None = None,
    start: datetime = START,
    **options: Any,
) -> Story:
    """A subscriber whose first charge goes through and whose later ones have these outcomes.

    Lives on a test clock that begins at `start`, or with `wall` by the wall clock. `options` are those of
    `create_customer`.
    """
    engine = world.stripe.engine
    clock = None if wall else engine.create_clock(start)
    # Where it is the same time as in UTC, in winter.
    card = card or Card(outcomes=("ok", *outcomes), country="GB")
    customer = engine.create_customer(email, clock=clock, card=card, **options)
    price = engine.create_price(amount, currency, interval=interval, product_name="Team plan")
    subscription = engine.create_subscription(customer, price, policy=retries, trial_days=trial_days)
    world.settle()
    renewal = RENEWAL
    if start != START or interval == "year":
        renewal = datetime.fromtimestamp(subscription.current_period_end, UTC) + timedelta(hours=1)
    return Story(world, clock, customer, subscription, email or "", renewal)
