"""What the doctor finds about the Stripe account, asked over HTTP."""

from collections.abc import Iterator

import pytest

from console.doctor import stripe
from console.doctor.endpoints import judge
from console.doctor.finding import Level
from providers.endpoint import Endpoint
from providers.stripe.account import wanted_events
from sandbox.stripe import BillingEngine, Fault, SimulatedStripe, simulated_stripe
from tests.console.doctor.looking import found, said
from tests.test_rooms import ROOT

HOOK = "http://127.0.0.1:9/webhooks/stripe"


@pytest.fixture
def account() -> Iterator[SimulatedStripe]:
    with simulated_stripe() as stripe:
        yield stripe


def look(account: SimulatedStripe, **changes: str) -> list[stripe.Finding]:
    return found(stripe.look, STRIPE_API_KEY=account.api_key, STRIPE_API_BASE=account.url, **changes)


def test_a_key_that_reads_all_and_an_endpoint_that_hears_all(account: SimulatedStripe) -> None:
    """Nothing but good news; the version it is pinned to is told."""
    account.add_endpoint(HOOK, "whsec_test_1", enabled_events=sorted(wanted_events(livemode=False)))
    findings = look(account)
    assert [each.level for each in findings] == [Level.GOOD, Level.GOOD]
    assert "2026-10-28.endive" in findings[1].said


def test_what_a_restricted_key_lacks(account: SimulatedStripe) -> None:
    """By the names of the dashboard; where webhooks cannot be listed, that is a note."""
    account.faults.add(Fault(match="GET /v1/(charges|products|webhook_endpoints)", status=403, times=9))
    findings = look(account)
    assert said(findings, Level.FAULT) == ["may not read Products, Charges and Refunds"]
    assert said(findings, Level.NOTE) == ["endpoints cannot be listed: the key may not read them"]


def test_a_stripe_that_cannot_be_asked(account: SimulatedStripe) -> None:
    """A wrong key, and nobody there: one finding each, and no key in it."""
    for base in (account.url, "http://127.0.0.1:1"):
        (finding,) = found(stripe.look, STRIPE_API_KEY="sk_test_wrong", STRIPE_API_BASE=base)
        assert (finding.level, "sk_test" in str(finding)) == (Level.FAULT, False)


def test_each_account_and_the_platforms_endpoint_are_looked_at(account: SimulatedStripe) -> None:
    """A further account by its own key and path; at the platform's, disconnecting has to be heard of too."""
    account.add_account("sk_test_de", BillingEngine())
    every = sorted(wanted_events(livemode=False))
    account.add_endpoint(HOOK, "whsec_test_1", enabled_events=every)
    account.add_endpoint(f"{HOOK}/connect", "whsec_test_2", enabled_events=every)
    account.add_endpoint(f"{HOOK}/de", "whsec_test_3", enabled_events=every, account="sk_test_de")
    findings = look(account, STRIPE_ACCOUNTS="de sk_test_de", STRIPE_CONNECT_WEBHOOK_SECRETS="whsec_test_2")
    assert [(each.area, each.level) for each in findings] == [
        ("Stripe key", Level.GOOD),
        ("Stripe webhooks", Level.GOOD),
        ("Stripe webhooks, Connect", Level.RISK),
        ("Stripe key, de", Level.GOOD),
        ("Stripe webhooks, de", Level.GOOD),
    ]
    assert "account.application.deauthorized" in findings[2].said


def endpoint(**changes: object) -> Endpoint:
    base: dict[str, object] = {
        "url": "https://dunning.acme.example/webhooks/stripe",
        "enabled": True,
        "version": "2026-10-28.endive",
        "events": wanted_events(livemode=True),
    }
    return Endpoint(**(base | changes))  # type: ignore[arg-type]  # the names are the fields'


@pytest.mark.parametrize(
    ("known", "level", "part"),
    [
        ([], Level.FAULT, "no endpoint leads to"),
        ([endpoint(url="https://acme.example/hooks")], Level.FAULT, "no endpoint leads to"),
        ([endpoint(enabled=False)], Level.FAULT, "disabled"),
        ([endpoint(url="http://acme.example/webhooks/stripe")], Level.FAULT, "not https"),
        (
            [endpoint(events=wanted_events(livemode=True) - {"invoice.paid"})],
            Level.FAULT,
            "does not hear invoice.paid",
        ),
        (
            [endpoint(events=wanted_events(livemode=True) - {"customer.updated"})],
            Level.RISK,
            "does not hear customer.updated",
        ),
        ([endpoint(events=frozenset({"*"}))], Level.RISK, "hears invoice.created"),
        ([endpoint(version=None)], Level.NOTE, "follows the account's API version"),
        ([endpoint(), endpoint()], Level.NOTE, "2 endpoints lead to"),
    ],
)
def test_each_weakness_of_an_endpoint(known: list[Endpoint], level: Level, part: str) -> None:
    """At its level, and no other one above it."""
    findings = judge(known, stripe.door_of(live=True), live=True)
    assert any(part in each for each in said(findings, level))
    assert {each.level for each in findings} <= {level, Level.GOOD}


def test_a_secret_key_in_live_mode() -> None:
    """It may do everything; a restricted one is enough."""
    assert [each.level for each in stripe.judge_key("sk_live_1", [], live=True)] == [Level.RISK]
    assert [each.level for each in stripe.judge_key("rk_live_1", [], live=True)] == [Level.GOOD]
    assert [each.level for each in stripe.judge_key("sk_test_1", [], live=False)] == [Level.GOOD]


def test_every_event_a_handler_takes_is_asked_for() -> None:
    """The list in the README is the list that the doctor compares with."""
    block = (ROOT / "README.md").read_text(encoding="utf-8").split("subscribe it to")[1].split("```")[1]
    assert set(block.split()) == wanted_events(livemode=False)
