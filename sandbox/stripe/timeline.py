"""The account's memory and its clocks: what moves time, and what reads the present."""

from datetime import UTC, datetime

from sandbox.stripe import clocks
from sandbox.stripe.ledger import Ledger, R
from sandbox.stripe.periods import seconds
from sandbox.stripe.policy import RetryPolicy, smart_retries
from sandbox.stripe.records import (
    Charge,
    Customer,
    Event,
    Invoice,
    PaymentIntent,
    Subscription,
    TestClock,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


class Timeline:
    """Time and reading; `ledger` is the account's memory, for the other parts of the simulation."""

    def __init__(self, *, seed: int = 0, now: datetime = START, policy: RetryPolicy | None = None) -> None:
        self.ledger = Ledger(seed=seed, now=seconds(now), policy=policy or smart_retries())

    def create_clock(self, frozen_time: datetime, name: str | None = None) -> TestClock:
        """A test clock standing at `frozen_time`."""
        with self.ledger.lock:
            return clocks.create(self.ledger, seconds(frozen_time), name)

    def advance(self, clock: TestClock | None, to: datetime) -> None:
        """Move a test clock, or with None the account's own time, doing everything due on the way."""
        if clock is None:
            self._run(None, seconds(to))
            with self.ledger.lock:
                self.ledger.set_time(None, max(seconds(to), self.ledger.now(None)))
            return
        self.begin_advance(clock.id, seconds(to))
        self.finish_advance(clock.id)

    def begin_advance(self, clock_id: str, to: int) -> TestClock:
        """Announce the move; the clock is `advancing` until `finish_advance`."""
        with self.ledger.lock:
            return clocks.begin(self.ledger, self.ledger.get(TestClock, clock_id), to)

    def finish_advance(self, clock_id: str) -> TestClock:
        """Do what is due up to the announced target; the lock is free between two steps."""
        target = self.get(TestClock, clock_id).target
        if target is not None:
            self._run(clock_id, target)
        with self.ledger.lock:
            return clocks.finish(self.ledger, self.ledger.get(TestClock, clock_id))

    def _run(self, clock: str | None, until: int) -> None:
        busy = True
        while busy:
            with self.ledger.lock:
                busy = clocks.step(self.ledger, clock, until)

    def now(self, clock: TestClock | None = None) -> datetime:
        """The time of a test clock, or of the account itself."""
        with self.ledger.lock:
            return datetime.fromtimestamp(self.ledger.now(clock.id if clock else None), UTC)

    def next_due(self, clock: TestClock | None = None) -> datetime | None:
        """Until when nothing happens by itself, however far the clock is moved; None: for ever."""
        with self.ledger.lock:
            due = self.ledger.next_due(clock.id if clock else None)
        return None if due is None else datetime.fromtimestamp(due, UTC)

    def get(self, kind: type[R], object_id: str) -> R:
        """The object's present state."""
        with self.ledger.lock:
            return self.ledger.get(kind, object_id)

    def refresh(self, record: R) -> R:
        """The present state of an object held from before."""
        return self.get(type(record), record.id)

    def latest_invoice(self, subscription: Subscription) -> Invoice:
        """The subscription's newest invoice."""
        return self.get(Invoice, self.refresh(subscription).latest_invoice or "")

    def invoices(self, subscription: Subscription) -> list[Invoice]:
        """The subscription's invoices, oldest first."""
        with self.ledger.lock:
            return self.ledger.of(Invoice, subscription.id)

    def charges(self, customer: Customer) -> list[Charge]:
        """Charges that really happened, oldest first."""
        with self.ledger.lock:
            return self.ledger.of(Charge, customer.id)

    def payment_intent(self, invoice: Invoice) -> PaymentIntent:
        """The intent that pays an invoice."""
        return self.get(PaymentIntent, self.refresh(invoice).payment_intent or "")

    def events(self, *types: str) -> list[Event]:
        """All events so far in the order they happened, or those of the given types."""
        with self.ledger.lock:
            return [each for each in self.ledger.all(Event) if not types or each.type in types]

    def repeat_event(self, event: Event) -> Event:
        """Emit the same fact once more under another id, as Stripe sometimes does."""
        with self.ledger.lock:
            return self.ledger.emit(event.type, event.subject, at=event.created, before=event.before)

    def _time(self, record: Customer | Subscription | Invoice) -> int:
        return self.ledger.now(record.test_clock)
