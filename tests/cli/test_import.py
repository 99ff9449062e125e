"""`dunning import`: a business is taken over by a command that may be killed, repeated, and tried first."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import pytest

from db.imports import IMPORT_LOCK
from sandbox.stripe import BillingEngine, SimulatedStripe, simulated_stripe
from sandbox.stripe.api.faults import Fault
from sandbox.stripe.crowd import RUNS_FOR, running_business
from settings.urls import for_asyncpg
from tests.cli.forking import ROOT, dunning

Command = Callable[..., subprocess.CompletedProcess[str]]
# Two pages of subscriptions, and one of what is open.
SUBSCRIPTIONS = 130


@pytest.fixture(scope="module")
def stripe() -> Iterator[SimulatedStripe]:
    """A business that has run for months, by the clock of this machine."""
    now = datetime.now(UTC)
    engine = BillingEngine(now=now - RUNS_FOR)
    running_business(engine, SUBSCRIPTIONS, until=now, trouble=0.3)
    with simulated_stripe(engine=engine) as served:
        yield served


@pytest.fixture
def env(database_url: str, stripe: SimulatedStripe) -> Iterator[dict[str, str]]:
    """The settings of the command."""
    yield {
        "DATABASE_URL": database_url,
        "STRIPE_API_KEY": stripe.api_key,
        "STRIPE_API_BASE": stripe.url,
        "DUNNING_LIVEMODE": "false",
    }
    stripe.faults.clear()


@pytest.fixture
def command(env: dict[str, str], tmp_path: Path) -> Command:
    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return dunning("import", *arguments, cwd=tmp_path, **(env | settings))

    return run


def ask(url: str, statement: str) -> list[Any]:
    """The rows of a statement."""

    async def fetch() -> list[Any]:
        connection = await asyncpg.connect(for_asyncpg(url))
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    return asyncio.run(fetch())


STANDING = """
    SELECT ref, level, reason, (SELECT array_agg(invoice || opened_at ORDER BY invoice) FROM cases
                                WHERE cases.customer_id = customers.id)
    FROM customers JOIN access ON access.customer_id = customers.id ORDER BY ref
"""


def test_killed_half_way_it_goes_on_without_missing_or_repeating_anything(
    command: Command, env: dict[str, str], stripe: SimulatedStripe, tmp_path: Path
) -> None:
    """SIGKILL while the open invoices are read: the next one reads no subscription again."""
    stripe.faults.add(Fault(match="GET /v1/invoices/", times=99, seconds=30))
    settings = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | env
    importing = [sys.executable, "-m", "cli", "import", "stripe", "--rate", "100"]
    with subprocess.Popen(importing, cwd=tmp_path, env=settings | {"PYTHONPATH": str(ROOT)}) as process:
        wait_until(lambda: bool(stripe.api.requested("GET", "/v1/invoices")))
        wait_until(
            lambda: ask(env["DATABASE_URL"], "SELECT counts->>'subscriptions' FROM imports") != [(None,)]
        )
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert ask(env["DATABASE_URL"], "SELECT state FROM imports") == [("running",)]
    assert "not finished" in command("status").stdout
    stripe.faults.clear()
    stripe.requests.clear()

    done = command("stripe", "--rate", "100", "--json")
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert (run["id"], run["state"]) == (1, "finished")
    assert not stripe.api.requested("GET", "/v1/subscriptions")
    found = ask(env["DATABASE_URL"], STANDING)
    assert len(found) == SUBSCRIPTIONS

    again = command("stripe", "--rate", "100", "--restart")
    assert again.returncode == 0, again.stderr
    assert ask(env["DATABASE_URL"], STANDING) == found
    assert ask(env["DATABASE_URL"], "SELECT state, count(*) FROM imports GROUP BY state") == [("finished", 2)]


def wait_until(true: Callable[[], bool]) -> None:
    """Ask again and again, for some seconds."""
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.05)


def test_a_dry_run_tells_who_hears_what_and_writes_nothing(command: Command, env: dict[str, str]) -> None:
    """The table names people and days, JSON every step; no row was written."""
    tried = command("stripe", "--dry-run", "--rate", "100")
    assert tried.returncode == 0, tried.stderr
    lines = tried.stdout.splitlines()
    assert lines[0] == "Only tried, nothing was written. If nobody paid, it would be:"
    assert any("@crowd.example" in line and "Mail 3 about the open payment" in line for line in lines)
    assert any(line.startswith("  Read") and "subscriptions" in line for line in lines)
    tables = ("customers", "cases", "access", "imports", "journal")
    for table in tables:
        assert ask(env["DATABASE_URL"], f"SELECT count(*) FROM {table}") == [(0,)]  # noqa: S608  # names above

    told = json.loads(command("stripe", "--dry-run", "--rate", "100", "--json").stdout)
    assert told["summary"]["customers"] == SUBSCRIPTIONS
    first = min(step["at"] for each in told["customers"] for step in each["steps"])
    assert datetime.fromisoformat(first) >= datetime.fromisoformat(told["at"])
    assert sum(told["summary"]["mails_by_day"].values()) == sum(
        step["kind"] == "mail" for each in told["customers"] for step in each["steps"]
    )


def test_after_an_import_a_dry_run_has_nothing_to_tell(command: Command) -> None:
    """Everybody stands where they stand: what comes next is known already."""
    assert command("stripe", "--rate", "100").returncode == 0
    told = json.loads(command("stripe", "--dry-run", "--rate", "100", "--json").stdout)
    assert told["customers"] == []


def test_a_key_that_may_not_read_is_told_at_once(command: Command) -> None:
    """Nobody waits minutes for an answer that will not change."""
    refused = command("stripe", STRIPE_API_KEY="rk_test_of_somebody_else")
    assert refused.returncode == 1
    assert "Stripe does not let this key read" in refused.stderr


def test_two_at_once_are_one_too_many(command: Command, env: dict[str, str]) -> None:
    """The second says so, and leaves the first alone."""

    async def beside() -> subprocess.CompletedProcess[str]:
        connection = await asyncpg.connect(for_asyncpg(env["DATABASE_URL"]))
        try:
            await connection.execute(f"SELECT pg_advisory_lock({IMPORT_LOCK})")
            return await asyncio.to_thread(command, "stripe")
        finally:
            await connection.close()

    second = asyncio.run(beside())
    assert second.returncode == 1
    assert "Another import is running." in second.stderr


def test_nothing_imported_yet(command: Command) -> None:
    """The status of nothing is a sentence."""
    assert command("status").stdout == "Nothing was imported yet.\n"
    assert json.loads(command("status", "--json").stdout) == []


def test_another_account_is_asked_with_its_own_key(command: Command, stripe: SimulatedStripe) -> None:
    """What it has is taken over as its own; one without a key is refused."""
    stripe.add_account("sk_test_de", BillingEngine())
    done = command("stripe", "--source", "stripe:de", "--json", STRIPE_ACCOUNTS="de sk_test_de")
    assert (done.returncode, json.loads(done.stdout)["source"]) == (0, "stripe:de")
    assert json.loads(done.stdout)["counts"].get("subscriptions", 0) == 0
    refused = command("stripe", "--source", "stripe:fr")
    assert refused.returncode == 1
    assert "There is no key for stripe:fr" in refused.stderr
