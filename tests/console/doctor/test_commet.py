"""What the doctor finds about the Commet organization, asked over HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from console.doctor import commet
from console.doctor.finding import Finding, Level
from providers.commet.account import VITAL, WANTED
from sandbox.commet import SimulatedCommet, simulated_commet
from sandbox.commet.api import CommetFault
from tests.console.doctor.looking import found, said
from tests.test_rooms import ROOT

HOOK = "https://dunning.acme.example/webhooks/commet"


@pytest.fixture
def organization() -> Iterator[SimulatedCommet]:
    with simulated_commet(datetime(2026, 6, 1, tzinfo=UTC)) as simulation:
        yield simulation


def look(organization: SimulatedCommet, **changes: str) -> list[Finding]:
    asked = {"COMMET_API_KEY": organization.api_key, "COMMET_API_BASE": organization.url}
    return found(commet.look, **asked | changes)


def test_a_key_that_reads_all_and_a_webhook_that_hears_all(organization: SimulatedCommet) -> None:
    """Nothing but good news; the version it is pinned to is told."""
    organization.api.add_webhook(HOOK, WANTED)
    findings = look(organization)
    assert [each.level for each in findings] == [Level.GOOD, Level.GOOD]
    assert "2026-08-27" in findings[1].said
    assert {method for method, _ in organization.api.requests} == {"GET"}


def test_without_a_key_commet_is_not_asked(organization: SimulatedCommet) -> None:
    """Everything works by what its events say, and what they do not is a risk for whoever bills with it."""
    assert look(organization, COMMET_API_KEY="") == []
    risks = look(organization, COMMET_API_KEY="", COMMET_WEBHOOK_SECRETS="whsec_test")
    assert said(risks, Level.RISK) == ["is not set: Commet is not asked"]
    assert organization.api.requests == []


def test_what_a_restricted_key_lacks(organization: SimulatedCommet) -> None:
    """By Commet's own names; where webhooks cannot be listed, that is a note."""
    fine, forbidden = CommetFault(), CommetFault(403, "forbidden")
    organization.api.faults += [fine, forbidden, fine, forbidden, forbidden]
    findings = look(organization)
    assert said(findings, Level.FAULT) == ["may not read subscription, transaction"]
    assert said(findings, Level.NOTE) == ["endpoints cannot be listed: the key may not read them"]


def test_a_commet_that_cannot_be_asked(organization: SimulatedCommet) -> None:
    """A wrong key, and nobody there: one finding each, and no key in it."""
    for base in (organization.url, "http://127.0.0.1:1"):
        (finding,) = look(organization, COMMET_API_KEY="rk_sandbox_wrong", COMMET_API_BASE=base)
        assert (finding.level, "rk_sandbox" in str(finding)) == (Level.FAULT, False)


def test_a_webhook_that_commet_has_disabled(organization: SimulatedCommet) -> None:
    """After three failures in a row it sends nothing any more, and nothing of that time again."""
    organization.api.add_webhook(HOOK, WANTED, active=False)
    (finding,) = (each for each in look(organization) if each.level is Level.FAULT)
    assert "disabled" in finding.said
    assert "three failures in a row" in finding.risk
    assert "dunning reconcile" in finding.cure


def test_events_that_are_not_heard(organization: SimulatedCommet) -> None:
    """Those of access and money are a fault, the rest a risk."""
    organization.api.add_webhook(HOOK, WANTED - {"payment.recovered", "customer.updated"})
    findings = look(organization)
    assert said(findings, Level.FAULT) == ["dunning.acme.example does not hear payment.recovered"]
    assert said(findings, Level.RISK) == ["dunning.acme.example does not hear customer.updated"]
    assert VITAL < WANTED


def test_a_key_with_full_access_in_live_mode() -> None:
    """A restricted one is enough."""
    levels = [
        commet.judge_key(key, [], live=live).level
        for key, live in (("ck_live_1", True), ("rk_live_1", True), ("ck_sandbox_1", False))
    ]
    assert levels == [Level.RISK, Level.GOOD, Level.GOOD]


def test_every_event_a_handler_takes_is_asked_for() -> None:
    """The list in the docs is the list that the doctor compares with."""
    text = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    block = text.split("webhooks/commet` and subscribe it to")[1].split("```")[1]
    assert set(block.split()) == WANTED
