"""Lives of one customer, played on the simulated billing engine, and the facts that Stripe tells of them.

The engine knows nothing of our rules, so a story's facts are consistent without our having to say how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from dunning.events import (
    AsOf,
    BillingEvent,
    ChargeFailed,
    ClockMoved,
    CustomerFact,
    LedgerRead,
    PaymentFailed,
)
from providers.lookup import Lookup, Subject
from providers.stripe.facts import normalise
from providers.stripe.objects import charge_failed, customer_seen, invoice_seen, subscription_seen
from providers.stripe.thin import as_it_is
from sandbox.stripe import NEW, OLD, BillingEngine, Card, RetryPolicy
from sandbox.stripe.objects import render, render_event, thin_event
from sandbox.stripe.records import (
    Charge,
    Customer,
    Event,
    Invoice,
    PaymentIntent,
    Subscription,
)
from sandbox.stripe.versions import ApiVersion

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
NOW_SHAPE = ApiVersion(NEW)


@dataclass(frozen=True, slots=True)
class Setting:
    """What kind of subscriber it is: how Stripe retries and ends, what their first card answers.

    `zone` is the customer's time zone in their metadata, `contact` a second address for bills, `amount` the
    price in cents.
    """

    interval: Literal["week", "month"] = "month"
    delays: tuple[int, ...] = (3, 5, 7)
    at_end: Literal["cancel", "unpaid", "past_due", "pause"] = "past_due"
    automations: bool = False
    answers: tuple[str, ...] = ("ok", "insufficient_funds")
    old_shape: bool = False
    zone: str | None = None
    amount: int = 1900
    contact: str | None = None


@dataclass
class Story:
    """One life. `tell` gives the facts of what has happened since it was asked last."""

    setting: Setting
    engine: BillingEngine = field(init=False)
    customer: Customer = field(init=False)
    subscriptions: list[Subscription] = field(init=False)
    _heard: int = 0
    _readings: int = 0

    def __post_init__(self) -> None:
        self.engine = BillingEngine(now=START)
        policy = RetryPolicy(
            delays=tuple(days * 86_400 for days in self.setting.delays),
            at_end=self.setting.at_end,
            automations=self.setting.automations,
        )
        self._price = self.engine.create_price(self.setting.amount, interval=self.setting.interval)
        self._policy = policy
        self.customer = self.engine.create_customer(
            "ada@customer.example",
            card=Card(outcomes=self.setting.answers),
            metadata={
                name: value
                for name, value in (("timezone", self.setting.zone), ("billing_email", self.setting.contact))
                if value
            },
        )
        self.subscriptions = [self.engine.create_subscription(self.customer, self._price, policy=policy)]

    @property
    def now(self) -> datetime:
        return self.engine.now()

    # what people do

    def wait(self, days: float) -> None:
        self.wait_until(self.now + days * DAY)

    def wait_until(self, moment: datetime) -> None:
        self.engine.advance(None, moment)

    def buy_again(self) -> None:
        bought = self.engine.create_subscription(self.customer, self._price, policy=self._policy)
        self.subscriptions.append(bought)

    def move(self) -> None:
        """The customer has another address, and the record at Stripe is corrected."""
        ledger = self.engine.ledger
        with ledger.lock:
            customer = ledger.get(Customer, self.customer.id)
            moved = replace(customer, email=f"new.{customer.email}")
            ledger.change("customer.updated", moved, at=ledger.now(None))

    def invoices(self) -> list[Invoice]:
        """All invoices of the customer as they are now, oldest first."""
        return [each for bought in self.subscriptions for each in self.engine.invoices(bought)]

    def on_unpaid(self, which: float, do: Callable[[Invoice], object]) -> None:
        """Do something with the oldest or the newest unpaid invoice."""
        unpaid = [each for each in self.invoices() if each.payable]
        if unpaid:
            do(unpaid[0 if which < 2 else -1])

    # what Stripe says

    def tell(self) -> list[list[CustomerFact]]:
        """The facts of each new event, with what was asked about it, as it stands at this moment."""
        return [said for event in self.hear() if (said := self.say(event))]

    def hear(self) -> list[Event]:
        """What has happened since it was asked last."""
        events = self.engine.events()
        fresh, self._heard = events[self._heard :], len(events)
        return fresh

    def say(self, event: Event) -> list[CustomerFact]:
        version = ApiVersion(OLD) if self.setting.old_shape else NOW_SHAPE
        said = normalise(render_event(event, version))
        asked = [fact for lookup in said.lookups for fact in self._read(lookup)]
        return [fact for fact in (*said.facts, *asked) if not isinstance(fact, ClockMoved)]

    def say_thinly(self, event: Event) -> list[CustomerFact]:
        """What its thin event says that has no snapshot, read at this moment."""
        self._readings += 1
        as_of = AsOf(
            datetime.fromtimestamp(event.created, UTC), START + timedelta(milliseconds=self._readings)
        )
        thing = self.engine.refresh(event.subject)
        gone = {"id": thing.id, "object": thing.OBJECT, "deleted": True}
        shown = gone if getattr(thing, "deleted", False) else render(thing, NOW_SHAPE)
        said = as_it_is(thin_event(event, NOW_SHAPE), shown, as_of)
        asked = [fact for lookup in said.lookups for fact in self._read(lookup)]
        return [fact for fact in (*said.facts, *asked) if not isinstance(fact, ClockMoved)]

    def ask(self, invoice: str) -> list[CustomerFact]:
        """Stripe's present view of an invoice."""
        facts = self._read(Lookup(Subject.INVOICE, invoice, self.now))
        return [fact for fact in facts if not isinstance(fact, ClockMoved)]

    def ask_subscription(self, subscription: str) -> list[CustomerFact]:
        """Stripe's present view of a subscription and its customer."""
        facts = self._read(Lookup(Subject.SUBSCRIPTION, subscription, self.now))
        return [fact for fact in facts if not isinstance(fact, ClockMoved)]

    def _read(self, lookup: Lookup) -> Iterator[BillingEvent]:
        self._readings += 1
        as_of = AsOf(lookup.at, START + timedelta(milliseconds=self._readings))
        match lookup.subject:
            case Subject.INVOICE:
                yield from self._read_invoice(self.engine.get(Invoice, lookup.ref), as_of)
            case Subject.PAYMENT:
                intent = self.engine.get(PaymentIntent, lookup.ref)
                yield from self._read_invoice(self.engine.get(Invoice, intent.invoice), as_of)
            case Subject.CUSTOMER:
                yield self._read_customer(as_of)
            case _:
                yield from self._read_subscription(lookup.ref, as_of)

    def _read_subscription(self, ref: str, as_of: AsOf) -> Iterator[BillingEvent]:
        yield subscription_seen(render(self.engine.get(Subscription, ref), NOW_SHAPE), as_of)
        yield self._read_customer(as_of)

    def _read_customer(self, as_of: AsOf) -> BillingEvent:
        customer = self.engine.refresh(self.customer)
        gone = {"id": customer.id, "object": "customer", "deleted": True}
        return customer_seen(gone if customer.deleted else render(customer, NOW_SHAPE), as_of)

    def _read_invoice(self, invoice: Invoice, as_of: AsOf) -> Iterator[BillingEvent]:
        yield invoice_seen(render(invoice, NOW_SHAPE), as_of)
        yield from self._read_subscription(invoice.subscription, as_of)
        if not invoice.attempted:
            return
        who = invoice.customer
        charged = [each for each in self.engine.charges(self.customer) if each.invoice == invoice.id]
        told = [fact for each in charged if (fact := self._failed(each))]
        for fact in told:
            yield fact
            yield PaymentFailed(who, invoice.id, fact.at, invoice.attempt_count)
        intent = self.engine.payment_intent(invoice) if invoice.payment_intent else None
        error = intent.error if intent else None
        waiting = intent is not None and intent.status == "requires_payment_method"
        yield LedgerRead(
            customer=who,
            invoice=invoice.id,
            attempt=invoice.attempt_count,
            code=error.decline.code if error else None,
            decline_code=error.decline.decline_code if error else None,
            no_method=waiting and not error and not told,
        )

    def _failed(self, charge: Charge) -> ChargeFailed | None:
        return charge_failed(render(charge, NOW_SHAPE), customer=charge.customer, invoice=charge.invoice)

    # the truth

    def first_failure(self, invoice: str) -> datetime:
        """When the first payment for an invoice failed."""
        told = self.engine.events(
            "invoice.payment_failed", "invoice.payment_action_required", "charge.failed"
        )
        about = [
            each.created
            for each in told
            if each.subject.id == invoice or getattr(each.subject, "invoice", None) == invoice
        ]
        return datetime.fromtimestamp(min(about), UTC)
