"""Commet asked through its own SDK, over HTTP: what is read back, its pages, and every way it can fail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from dunning.events import CustomerSeen, InvoiceSeen, SubscriptionSeen
from providers.commet.api import CommetGateway
from providers.lookup import (
    Charged,
    Lookup,
    MalformedEventError,
    NothingToPayError,
    NotSoldError,
    ProviderUnavailableError,
    Subject,
)
from sandbox.commet import SimulatedCommet, simulated_commet
from sandbox.commet.api import CommetFault
from tests.providers.asking import of

T = TypeVar("T")
START = datetime(2026, 6, 1, 9, tzinfo=UTC)
EMAIL = "grace@customer.example"


@pytest.fixture(scope="module")
def served() -> Iterator[SimulatedCommet]:
    with simulated_commet(START) as commet:
        yield commet


@pytest.fixture
def commet(served: SimulatedCommet) -> SimulatedCommet:
    """One that nobody has asked anything."""
    served.clear()
    served.books.now = START
    return served


def ask(
    commet: SimulatedCommet, question: Callable[[CommetGateway], Awaitable[T]], key: str = "", **options: Any
) -> T:
    """Ask through a gateway of its own."""

    async def run() -> T:
        mode: Any = {"livemode": False, **options}
        return await question(CommetGateway(key or commet.api_key, api_base=commet.url, **mode))

    return asyncio.run(run())


def facts(commet: SimulatedCommet, subject: Subject, ref: str) -> tuple[Any, ...]:
    return ask(commet, lambda gateway: gateway.look_up(Lookup(subject, ref, START))).facts


def failed(commet: SimulatedCommet, external_id: str | None = "user_123") -> tuple[str, str]:
    """A subscription whose renewal failed, and its invoice."""
    subscription = commet.books.subscribe(EMAIL, external_id, name="Grace", interval="yearly")
    commet.books.now += timedelta(days=30)
    return subscription, commet.books.renew(subscription, "card_declined")


def test_an_invoice_is_read_with_its_subscription_and_its_customer(commet: SimulatedCommet) -> None:
    """What a failed payment leaves unsaid: the address, the amount, the plan."""
    subscription, invoice = failed(commet)
    read = facts(commet, Subject.INVOICE, invoice)
    [person], [seen], [owed] = (of(read, kind) for kind in (CustomerSeen, SubscriptionSeen, InvoiceSeen))
    assert (person.customer, person.email, person.name) == ("user_123", EMAIL, "Grace")
    assert (seen.subscription, seen.status, seen.plan, seen.interval) == (
        subscription,
        "past_due",
        "Pro",
        "year",
    )
    assert seen.period_end == START + timedelta(days=60)
    assert (owed.customer, owed.status, owed.amount_remaining, owed.currency) == (
        "user_123",
        "open",
        4900,
        "eur",
    )
    # As new as what was changed of it last.
    assert {fact.as_of.at for fact in (person, seen, owed)} == {commet.books.now}


def test_a_paid_invoice_was_paid_when_its_transaction_says(commet: SimulatedCommet) -> None:
    """Whatever was changed of the invoice since."""
    subscription, invoice = failed(commet)
    commet.books.now += timedelta(days=1)
    commet.books.pay(subscription)
    commet.books.invoices[invoice]["updatedAt"] = "2026-09-01T00:00:00.000Z"
    [paid] = of(facts(commet, Subject.INVOICE, invoice), InvoiceSeen)
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 4900, 0)
    assert paid.paid_at == START + timedelta(days=31)


@pytest.mark.parametrize(
    ("end", "reason"),
    [("give_up", "payment_failed"), ("cancel", "cancellation_requested")],
)
def test_why_it_ended_is_told_by_its_last_invoice(commet: SimulatedCommet, end: str, reason: str) -> None:
    """Commet gives an invoice up when its retries are over, and for nothing else."""
    subscription, invoice = failed(commet)
    getattr(commet.books, end)(subscription)
    for subject, ref in ((Subject.SUBSCRIPTION, subscription), (Subject.INVOICE, invoice)):
        [seen] = of(facts(commet, subject, ref), SubscriptionSeen)
        assert (seen.status, seen.ended_for, seen.ended_at) == ("canceled", reason, commet.books.now)


def test_a_cancellation_to_come_ends_nothing(commet: SimulatedCommet) -> None:
    """Its day is the end of the period."""
    subscription = commet.books.subscribe(EMAIL)
    when = {"scheduledAt": "2026-06-02T00:00:00Z", "reason": None, "effectiveAt": "2026-06-20T00:00:00Z"}
    commet.books.subscriptions[subscription] |= {"cancellation": when, "cancelAtPeriodEnd": True}
    [seen] = of(facts(commet, Subject.SUBSCRIPTION, subscription), SubscriptionSeen)
    assert (seen.status, seen.cancel_at_period_end, seen.ended_at) == ("active", True, None)
    assert seen.period_end == datetime(2026, 6, 20, tzinfo=UTC)


@pytest.mark.parametrize("external_id", [None, "user/1 2", "user_123"])
def test_a_customer_is_known_by_either_id(commet: SimulatedCommet, external_id: str | None) -> None:
    """Ids of yours may hold what belongs in no address."""
    commet.books.subscribe(EMAIL, external_id)
    own = next(iter(commet.books.customers))
    for ref in filter(None, (own, external_id)):
        [person] = of(facts(commet, Subject.CUSTOMER, ref), CustomerSeen)
        assert (person.customer, person.email) == (external_id or own, EMAIL)


def test_what_commet_does_not_know_says_nothing(commet: SimulatedCommet) -> None:
    """Nor has what it never tells of anything to say."""
    assert [facts(commet, subject, "nobody") for subject in Subject] == [()] * len(Subject)


def test_a_link_is_made_for_what_is_outstanding(commet: SimulatedCommet) -> None:
    """Paid or void it would be news to us; given up, there is nothing to pay."""
    subscription, invoice = failed(commet)
    link = f"https://pay.commet.co/recover/{subscription}"
    assert ask(commet, lambda gateway: gateway.payment_link(invoice)) == link
    commet.books.subscriptions[subscription]["status"] = "active"
    assert ask(commet, lambda gateway: gateway.payment_link(invoice)) is None
    commet.books.invoices[invoice]["status"] = "uncollectible"
    assert ask(commet, lambda gateway: gateway.payment_link(invoice)) is None
    for status in ("paid", "void"):
        commet.books.invoices[invoice]["status"] = status
        with pytest.raises(NothingToPayError):
            ask(commet, lambda gateway: gateway.payment_link(invoice))


def test_every_click_has_a_portal_of_its_own(commet: SimulatedCommet) -> None:
    """Its sessions end after half an hour, so that none is kept."""
    commet.books.subscribe(EMAIL, "user_123")
    pages = {ask(commet, lambda gateway: gateway.method_page("user_123", "https://here")) for _ in range(2)}
    assert len(pages) == 2
    assert all(page.startswith("https://commet.co/portal/") for page in pages)
    with pytest.raises(ProviderUnavailableError, match="customer_not_found"):
        ask(commet, lambda gateway: gateway.method_page("nobody", "https://here"))


def test_what_commet_cannot_do_is_refused_and_nothing_is_asked(commet: SimulatedCommet) -> None:
    """Whoever asks all the same charges nobody twice."""
    assert ask(commet, lambda gateway: gateway.pay("inv", "key")) == Charged("refused", "not_possible_there")
    for question in (
        lambda gateway: gateway.end("sub", "cancel", "key"),
        lambda gateway: gateway.revive("sub"),
    ):
        with pytest.raises(ProviderUnavailableError):
            ask(commet, question)
    assert commet.api.requests == []


def test_what_has_ended_is_bought_again_on_one_page(commet: SimulatedCommet) -> None:
    """However often they click; whoever has one is sold no second one."""
    subscription, _ = failed(commet)
    commet.books.give_up(subscription)

    def click(back: str = "https://here") -> str | None:
        return ask(commet, lambda gateway: gateway.begin_again(subscription, back))

    pages = {click(), click(), click("https://there")}
    [page] = pages
    assert page == f"https://pay.commet.co/checkout/{[*commet.books.subscriptions][-1]}"
    begun = commet.books.subscriptions[page.rpartition("/")[2]]
    assert (begun["plan"]["id"], begun["priceId"], begun["status"]) == (
        "plan_1",
        "price_1",
        "pending_payment",
    )
    commet.books.check_out(begun["id"])
    assert click() is None


def test_what_is_sold_no_more_is_not_sold(commet: SimulatedCommet) -> None:
    """Its plan is gone, or it was never there."""
    subscription, _ = failed(commet)
    commet.books.give_up(subscription)
    commet.api.faults += [CommetFault(), CommetFault(), CommetFault(422, "plan_unavailable")]
    with pytest.raises(NotSoldError, match="plan_unavailable"):
        ask(commet, lambda gateway: gateway.begin_again(subscription, "https://here"))
    with pytest.raises(NotSoldError, match="no_plan"):
        ask(commet, lambda gateway: gateway.begin_again("nobody", "https://here"))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (CommetFault(429, "rate_limited"), ("rate_limited", "passing")),
        (CommetFault(401, "unauthorized"), ("unauthorized", "refused")),
        (CommetFault(403, "forbidden"), ("forbidden", "forbidden")),
        (CommetFault(500), ("internal_error", None)),
        (CommetFault(408, "grace@customer.example"), ("status_408", None)),
        (CommetFault(409, "charge_in_progress"), ("charge_in_progress", None)),
        (CommetFault(502, body="<html>grace@customer.example"), ("INVALID_JSON", None)),
        (CommetFault(200, body="<html>grace@customer.example"), ("INVALID_JSON", None)),
        (CommetFault(200, body="[1, 2]"), ("unreadable", None)),
        (CommetFault(200, body="null"), ("unreadable", None)),
        (
            CommetFault(400, body='{"error": {"code": "validation_error", "details": ["x"]}}'),
            ("unreadable", None),
        ),
    ],
)
def test_a_fault_keeps_its_code_and_nothing_else(
    commet: SimulatedCommet, fault: CommetFault, said: tuple[str, str | None]
) -> None:
    """Texts of Commet hold addresses; each is asked once, and whoever asked comes back."""
    commet.api.faults.append(fault)
    with pytest.raises(ProviderUnavailableError) as raised:
        facts(commet, Subject.SUBSCRIPTION, "sub_1")
    error = raised.value
    flags = [name for name in ("passing", "refused", "forbidden") if getattr(error, name)]
    assert (str(error), flags) == (said[0], [said[1]] if said[1] else [])
    assert (error.__cause__, error.__context__) == (None, None) or error.__suppress_context__
    assert len(commet.api.requests) == 1


def test_an_object_of_another_shape_is_no_fact(commet: SimulatedCommet) -> None:
    """A status that is a list is nobody's status."""
    subscription = commet.books.subscribe(EMAIL)
    commet.books.subscriptions[subscription]["status"] = ["active"]
    with pytest.raises(MalformedEventError):
        facts(commet, Subject.SUBSCRIPTION, subscription)


def test_whoever_does_not_answer_is_given_up(commet: SimulatedCommet) -> None:
    """In the time that was allowed, though the SDK would wait for ever."""
    commet.api.faults.append(CommetFault(seconds=0.6))
    began = time.monotonic()
    with pytest.raises(ProviderUnavailableError, match="TimeoutError"):
        ask(commet, lambda g: g.look_up(Lookup(Subject.CUSTOMER, "user_123", START)), timeout=0.1)
    assert time.monotonic() - began < 0.5


def test_nobody_there_is_no_answer(commet: SimulatedCommet) -> None:
    """A port of loopback that nobody listens on."""

    async def run() -> None:
        gateway = CommetGateway(commet.api_key, livemode=False, api_base="http://127.0.0.1:9")
        await gateway.look_up(Lookup(Subject.CUSTOMER, "user_123", START))

    with pytest.raises(ProviderUnavailableError, match="ConnectError"):
        asyncio.run(run())


def test_a_key_of_the_other_mode_is_found_by_the_first_answer(commet: SimulatedCommet) -> None:
    """Older keys do not say of which mode they are."""
    commet.books.subscribe(EMAIL, "user_123")
    own = next(iter(commet.books.customers))
    with pytest.raises(ProviderUnavailableError, match="key_of_the_other_mode") as raised:
        ask(commet, lambda g: g.look_up(Lookup(Subject.CUSTOMER, own, START)), livemode=True)
    assert raised.value.refused


def test_a_wrong_key_is_refused(commet: SimulatedCommet) -> None:
    """It is not tried again, and stands nowhere."""
    with pytest.raises(ProviderUnavailableError) as raised:
        ask(commet, lambda g: g.look_up(Lookup(Subject.CUSTOMER, "u", START)), key="ck_sandbox_wrong")
    assert raised.value.refused
    assert "wrong" not in repr(raised.value)
