"""The neutral format as facts, whatever its order, and the schema that describes it."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.account import Account, Outcome
from dunning.case import settle, situation
from dunning.declines import Category
from dunning.events import (
    ChargeFailed,
    CustomerFact,
    CustomerSeen,
    InvoiceSeen,
    PayPageSeen,
    SubscriptionSeen,
)
from dunning.fold import empty, fold
from dunning.policy import Policy
from providers import neutral, systems
from providers.lookup import MalformedEventError, Normalised
from tests.dunning.strategies import examples
from tests.providers.asking import of
from tests.providers.neutral import ORIGIN, START, event, failed

SCHEMA = json.loads((Path(neutral.__path__[0]) / "schema.json").read_text("utf-8"))
FULL = {
    "customerId": "cus_1",
    "customer": {"email": "ada@customer.example", "name": "Ada", "locale": "fr", "country": "FR"},
    "plan": "Pro",
    "interval": "year",
    "currentPeriodEnd": "2026-07-01T00:00:00+02:00",
    "invoiceId": "inv_1",
    "invoiceNumber": "A-1",
    "amount": 1900,
    "currency": "EUR",
    "payUrl": "https://pay.acme.example/i/1",
    "nextAttemptAt": "2026-06-04T00:00:00Z",
    "card": {"brand": "visa", "last4": "4242"},
}


def said(event: dict[str, Any]) -> Normalised:
    return systems.normalise("acme", event)


def facts(event: dict[str, Any]) -> tuple[CustomerFact, ...]:
    """All of an event's facts, of customer `cus_1` where it names nobody."""
    found = said(event)
    own: Any = found.facts
    return (*own, *(replace(fact, customer="cus_1") for fact in found.unowned))


def account(*events: dict[str, Any]) -> Account:
    told = [fact for each in events for fact in facts(each)]
    return settle(fold(empty("acme", "cus_1"), *told), Policy())


def test_the_origin_says_what_it_can_and_asks_for_the_rest() -> None:
    """Subscription, attempt and error; whose it is and how much has to be told by somebody else."""
    found = said(ORIGIN)
    assert (found.facts, found.of) == ((), "sub_01HX")
    [lookup] = found.lookups
    assert (lookup.ref, lookup.event) == ("sub_01HX", ORIGIN)
    [charge] = of(found.unowned, ChargeFailed)
    assert (charge.decline_code, charge.charge, charge.at) == ("insufficient_funds", "evt_01HX", START)
    [invoice] = of(found.unowned, InvoiceSeen)
    assert (invoice.currency, invoice.attempt_count) == ("xxx", 1)


def test_all_that_can_be_said_is_heard() -> None:
    """Person, plan, period, invoice, money, card, and where it is paid."""
    found = said(failed(2, **FULL))
    assert found.lookups == ()
    [person] = of(found.facts, CustomerSeen)
    assert (person.email, person.locales, person.country) == ("ada@customer.example", ("fr",), "FR")
    [subscription] = of(found.facts, SubscriptionSeen)
    assert (subscription.status, subscription.plan, subscription.interval) == ("past_due", "Pro", "year")
    assert subscription.period_end is not None
    assert subscription.period_end.isoformat() == "2026-06-30T22:00:00+00:00"
    [invoice] = of(found.facts, InvoiceSeen)
    assert (invoice.invoice, invoice.amount_remaining, invoice.currency) == ("inv_1", 1900, "eur")
    assert of(found.facts, PayPageSeen)[0].url == FULL["payUrl"]


@pytest.mark.parametrize(
    ("error", "category"),
    [
        ("insufficient_funds", Category.INSUFFICIENT_FUNDS),
        ("Expired_Card", Category.EXPIRED_CARD),
        ("authentication_required", Category.AUTHENTICATION_REQUIRED),
        ("processing_error", Category.PROCESSING_ERROR),
        ("do_not_honor", Category.BANK_DECLINED),
        ("card_declined", Category.UNKNOWN),
        ("a_code_of_next_year", Category.UNKNOWN),
        (None, Category.UNKNOWN),
    ],
)
def test_errors_are_classified_and_unknown_ones_are_unknown(error: str | None, category: Category) -> None:
    """The set is open: nothing that is not known is an error of ours."""
    told = account(failed(error=error))
    [case] = told.cases.values()
    assert situation(told, case).decline.category is category


def test_the_number_of_the_attempt_is_believed() -> None:
    """Even where failures on the way were never told, and of a decline that Stripe would not repeat."""
    told = account(failed(1, 0, "stolen_card"), failed(3, 5, "stolen_card"))
    [case] = told.cases.values()
    assert situation(told, case).executed_attempts == 3


@pytest.mark.parametrize(
    "url",
    ["http://pay.acme.example/", "javascript:alert(1)", "https://u:p@acme.example/", "https://a b", "x"],
)
def test_a_link_that_is_no_plain_https_is_dropped(url: str) -> None:
    """The event counts all the same."""
    found = facts(failed(**(FULL | {"payUrl": url})))
    assert of(found, PayPageSeen) == []
    assert of(found, ChargeFailed) != []


LIVES = [failed(attempt, 3.0 * attempt) for attempt in (1, 2, 3)]
LIVES += [event("past_due", 3.0), event("payment_succeeded", 11)]
LIVES += [failed(attempt, 30 + 3.0 * attempt, "expired_card") for attempt in (1, 2)]
LIVES += [event("canceled", 50), event("payment_succeeded", 55)]


def told(account: Account) -> list[Any]:
    """What came of it, but for the names of debts without an invoice."""
    cases = sorted(account.cases.values(), key=lambda case: case.opened_at)
    subscription = account.subscriptions["sub_1"]
    return [
        (subscription.status, subscription.last_paid_at, subscription.ended_at),
        *(
            (case.opened_at, case.outcome, case.closed_at, situation(account, case).executed_attempts)
            for case in cases
        ),
    ]


@examples(40)
@given(st.randoms(use_true_random=False), st.integers(1, len(LIVES)))
def test_any_order_and_any_duplicates_give_the_same_cases(random: Any, upto: int) -> None:
    """Two rows of failures without an invoice, a payment between them, an end and a return."""
    events = LIVES[:upto]
    shuffled = events + random.sample(events, len(events) // 2)
    random.shuffle(shuffled)
    assert told(account(*shuffled)) == told(account(*events))


@examples(25)
@given(st.randoms(use_true_random=False), st.integers(1, len(LIVES)))
def test_with_invoices_not_even_a_name_depends_on_the_order(random: Any, upto: int) -> None:
    """Where the sender names what is owed, one set of events is one account."""
    events = [deepcopy(each) for each in LIVES[:upto]]
    for number, each in enumerate(events):
        each["data"]["invoiceId"] = "inv_1" if number < 5 else "inv_2"
    shuffled = events + random.sample(events, len(events) // 2)
    random.shuffle(shuffled)
    assert account(*shuffled) == account(*events)


def test_a_payment_that_overtakes_its_failure_ends_it() -> None:
    """The late failure opens no case that lasts."""
    late = account(event("payment_succeeded", 1), failed(1, 0))
    assert [case.outcome for case in late.cases.values()] == [Outcome.RECOVERED]


@pytest.mark.parametrize(
    "spoiled",
    [
        {"createdAt": None},
        {"createdAt": "yesterday"},
        {"createdAt": "2026-06-01T00:00:18"},
        {"data": []},
        {"data": {}},
        {"data": {"subscriptionId": 7, "attempt": 1}},
        {"data": {"subscriptionId": "sub_1"}},
        {"data": {"subscriptionId": "sub_1", "attempt": 0}},
        {"data": {"subscriptionId": "sub_1", "attempt": "one"}},
        {"data": {"subscriptionId": "sub_1", "attempt": 1, "amount": -1, "currency": "eur"}},
        {"data": {"subscriptionId": "s" * 256, "attempt": 1}},
    ],
)
def test_what_cannot_be_meant_is_malformed(spoiled: dict[str, Any]) -> None:
    """One kind of error, and the schema says the same of whatever it can."""
    wrong = failed() | spoiled
    with pytest.raises(MalformedEventError):
        said(wrong)
    assert not jsonschema_rs.validator_for(SCHEMA, validate_formats=True).is_valid(wrong)


@pytest.mark.parametrize(
    "sent",
    [
        ORIGIN,
        failed(2, **FULL),
        event("past_due", customerId="cus_1"),
        event("payment_succeeded", amount=1900, currency="eur"),
        event("canceled", reason="voluntary"),
        event(
            "customer.updated", customerId="cus_1", email="ada@customer.example", subscriptionIds=["sub_1"]
        ),
    ],
)
def test_the_schema_describes_what_is_read(sent: dict[str, Any]) -> None:
    """It is a schema, and takes what we take."""
    jsonschema_rs.meta.validate(SCHEMA)
    jsonschema_rs.validator_for(SCHEMA, validate_formats=True).validate(sent)
    assert said(sent).facts or said(sent).unowned


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@examples(60)
@given(name=st.sampled_from([*FULL, "subscriptionId", "attempt", "error"]), value=json_values)
def test_nothing_that_is_signed_breaks_the_reader(name: str, value: Any) -> None:
    """Whatever a field holds, it is read or it is malformed."""
    try:
        facts(failed(**(FULL | {name: value})) if name != "attempt" else event(**(FULL | {name: value})))
    except MalformedEventError:
        return
