"""`dunning reconcile` against a simulated Stripe."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.inbox import Inbox
from sandbox.stripe import Card, Fault
from tests.cli.forking import dunning
from tests.console.worlds import settings_of, world_on
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World
from tests.worker.reconciling import execute

SINCE = ("--since", "2026-01-01")
Ask = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def world(database_url: str, inbox: Inbox) -> Iterator[World]:
    with world_on(database_url, inbox) as made:
        yield made


@pytest.fixture
def ask(world: World, database_url: str, tmp_path: Path) -> Ask:
    """Run `dunning reconcile` on it."""
    env = settings_of(world, database_url)
    return lambda *arguments, **more: dunning("reconcile", *arguments, cwd=tmp_path, **env | more)


def failed(world: World) -> Story:
    """A renewal that has failed without our hearing of it."""
    story = subscriber(world, "expired_card")
    engine = world.stripe.engine
    engine.advance(engine.refresh(story.clock), story.renewal)
    return story


def test_what_was_missed_is_told_and_taken_in(world: World, ask: Ask) -> None:
    """By type; a second look finds nothing, and neither does one after the workers have done their part."""
    story = failed(world)
    tried = ask(*SINCE, "--dry-run")
    assert (tried.returncode, "Nothing was written." in tried.stdout) == (3, True), tried.stderr
    assert "status" in tried.stdout
    done = ask(*SINCE, "--json")
    said = json.loads(done.stdout)
    assert [each["status"] for each in said["differences"]] == ["repaired", "gone"]
    assert done.returncode == 0
    assert said["missed"]["invoice.payment_failed"] == 1
    again = ask(*SINCE)
    assert ", 0 of them never heard of." in again.stdout
    world.tick()
    assert story.level() == ("warned", "payment_failed")


def test_events_alone(world: World, ask: Ask) -> None:
    """Nothing is compared, and Stripe not asked for it."""
    failed(world)
    said = json.loads(ask(*SINCE, "--events-only", "--json").stdout)
    assert (said["compared"], said["differences"]) == ({}, [])
    assert said["missed"]["invoice.payment_failed"] == 1
    assert [asked for asked in world.stripe.requests if asked.path == "/v1/subscriptions"] == []


def test_what_is_left_for_a_person(world: World, ask: Ask) -> None:
    """Exit code 3, until somebody has mended it; --list asks nobody."""
    story = subscriber(world, "insufficient_funds", wall=True).until(1)
    execute(world, "UPDATE invoices SET paid_at = now(), status = 'paid' WHERE failed_at IS NOT NULL")
    found = ask(*SINCE)
    assert (found.returncode, "for a person" in found.stdout) == (3, True), found.stderr
    world.stripe.requests.clear()
    listed = ask("--list")
    assert (listed.returncode, world.stripe.requests) == (3, [])
    assert "settled: paid, open" in listed.stdout
    assert "Events, hourly" in listed.stdout
    story.pay(Card())
    assert ask().returncode == 0
    assert ask("--list").returncode == 0


def test_what_cannot_be_done_says_why(world: World, ask: Ask) -> None:
    """A wrong key, a key that may not, another that is at work, and a time that Stripe has forgotten."""
    wrong = ask(STRIPE_API_KEY="sk_test_wrong")
    assert (wrong.returncode, "Stripe cannot be asked" in wrong.stderr) == (1, True)
    world.stripe.faults.add(Fault(match="GET /v1/events", status=403, times=3))
    forbidden = ask()
    assert (forbidden.returncode, "docs/reconcile.md" in forbidden.stderr) == (1, True)
    world.stripe.faults.clear()
    for given in ("3 days", "tomorrow", "2090-01-01"):
        refused = ask("--since", given)
        assert (refused.returncode, "--since" in refused.stderr) == (2, True), given


def test_an_account_can_be_named_that_only_a_key_knows(ask: Ask) -> None:
    """A connected one is asked with the platform's key, here with nothing to tell; one of nobody's is not."""
    connected = ask("--source", "stripe:acct_1", "--list", "--json")
    assert json.loads(connected.stdout) == {"runs": {}, "differences": []}
    for source in ("stripe:de", "commet"):
        unknown = ask("--source", source, "--dry-run")
        assert (unknown.returncode, "cannot be asked" in unknown.stderr) == (1, True), source
    main = ask("--source", "stripe", "--dry-run", "--json")
    assert main.returncode == 0, main.stderr


def test_help_teaches_the_exit_codes(ask: Ask) -> None:
    """What a script has to know stands there."""
    said = ask("--help").stdout
    assert "Exit codes:" in said
    assert "something is left for a person" in said
