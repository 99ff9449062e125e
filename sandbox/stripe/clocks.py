"""Moving time: everything due happens in chronological order, each thing at its own moment."""

from dataclasses import replace

from sandbox.stripe import checkout, collection, invoices, subscriptions
from sandbox.stripe.errors import ApiError
from sandbox.stripe.ledger import Ledger, Task
from sandbox.stripe.policy import DAY
from sandbox.stripe.records import Charge, CheckoutSession, Invoice, Subscription, TestClock

LIFETIME = 30 * DAY


def create(ledger: Ledger, frozen_time: int, name: str | None) -> TestClock:
    """A clock that stands still until it is advanced."""
    clock = ledger.put(
        TestClock(id=ledger.ids.new("clock"), created=frozen_time, frozen_time=frozen_time, name=name)
    )
    ledger.set_time(clock.id, frozen_time)
    ledger.emit("test_helpers.test_clock.created", clock, at=frozen_time)
    return clock


def begin(ledger: Ledger, clock: TestClock, to: int) -> TestClock:
    """Set out for `to`; raises ApiError when that is not ahead or the clock is on its way already."""
    if clock.status != "ready":
        raise ApiError.invalid(
            f"Test clock advancement is underway for {clock.id}. Retry after it has finished.",
            code="test_clock_advancement_underway",
            status=429,
        )
    if to <= clock.frozen_time:
        raise ApiError.invalid(
            "The frozen time must be after the test clock's current frozen time.", param="frozen_time"
        )
    moving = replace(clock, status="advancing", target=to)
    return ledger.change("test_helpers.test_clock.advancing", moving, at=clock.frozen_time)


def finish(ledger: Ledger, clock: TestClock) -> TestClock:
    """Arrive: the clock stands at its target."""
    to = clock.target or clock.frozen_time
    ledger.set_time(clock.id, to)
    ready = replace(clock, status="ready", target=None, frozen_time=to)
    return ledger.change("test_helpers.test_clock.ready", ready, at=to)


def step(ledger: Ledger, clock: str | None, until: int) -> bool:
    """Do the next due thing; False when nothing is due until then."""
    task = ledger.take_due(clock, until)
    if task is None:
        return False
    # A thing planned for the past, such as a renewal that waited for a pause to end, happens now.
    now = max(task.due, ledger.now(clock))
    ledger.set_time(clock, now)
    _perform(ledger, task, now)
    return True


def _perform(ledger: Ledger, task: Task, now: int) -> None:
    """Do it if it is still wanted: the object may have changed since it was planned."""
    if task.action in ("renew", "expire"):
        subscription = ledger.get(Subscription, task.object_id)
        if task.action == "expire":
            subscriptions.expire(ledger, subscription, now)
        elif subscription.current_period_end == task.due and not subscription.ended:
            subscriptions.renew(ledger, subscription, now)
        return
    if task.action == "lapse":
        session = ledger.get(CheckoutSession, task.object_id)
        if session.status == "open":
            checkout.expire(ledger, session)
        return
    if task.action == "clear":
        collection.clear(ledger, ledger.get(Charge, task.object_id), now)
        return
    invoice = ledger.get(Invoice, task.object_id)
    match task.action:
        case "finalize" if invoice.status == "draft" and invoice.auto_advance:
            _finalize(ledger, invoice, now)
        case "collect" if invoice.status == "open" and invoice.next_payment_attempt == task.due:
            collection.collect(ledger, invoice, now)
        case "abandon" if invoice.status == "open":
            invoices.void(ledger, invoice, now)
        case _:
            pass


def _finalize(ledger: Ledger, invoice: Invoice, now: int) -> None:
    opened = invoices.finalize(ledger, invoice, now)
    match ledger.get(Subscription, invoice.subscription).pause_collection:
        case "void":
            invoices.void(ledger, opened, now)
        case "mark_uncollectible":
            invoices.mark_uncollectible(ledger, opened, now)
        case _:
            collection.collect(ledger, opened, now)
