"""`dunning up`: what it asks for, what it supplies, where it listens, and what it keeps."""

from __future__ import annotations

import signal
import socket
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from sandbox.programs import PROGRAMS, free_port
from sandbox.supplies import supply
from tests.processes.tree import descendants
from tests.processes.upping import Up
from tests.sandbox.machine import alive, until

SECONDS = 40.0
OWN = {
    "STRIPE_API_KEY": "sk_test_of_somebody",
    "STRIPE_API_BASE": "http://127.0.0.1:9",  # nobody answers there
    "STRIPE_WEBHOOK_SECRETS": "whsec_test_of_somebody",
    "SMTP_URL": "smtp://127.0.0.1:9",
    "DUNNING_LIVEMODE": "false",
    "DUNNING_API_KEYS": "test-key-of-somebody",
    "DUNNING_MAIL_FROM": "billing@merchant.example",
    "DUNNING_BRAND_NAME": "Acme",
    "DUNNING_BRAND_SUPPORT_EMAIL": "support@merchant.example",
    "DUNNING_BILLING_PAGE_URL": "https://merchant.example/billing",
}


def test_without_settings_it_names_each_once_and_the_way_to_try_it(tmp_path: Path) -> None:
    """Exit code 2; PostgreSQL and Redis are not asked for, since they are embedded; nothing is started."""
    program = Up(tmp_path)
    assert program.wait(SECONDS) == 2
    said = (tmp_path / "log").read_text()
    stripe = {name for name in OWN if name.startswith("STRIPE_")}
    for name in OWN.keys() - stripe - {"DUNNING_API_KEYS", "DUNNING_LIVEMODE"}:
        assert said.count(f"{name} is not set") == 1, name
    assert said.count("has to be set: no billing system can send events") == 1
    assert "DATABASE_URL" not in said
    assert "dunning up --sandbox" in said
    assert not (tmp_path / ".dunning").exists()


def test_a_misspelt_setting_is_named_in_the_sandbox_too(tmp_path: Path) -> None:
    """The sandbox fills gaps and hides no mistakes."""
    program = Up(tmp_path, "--sandbox", DUNNING_GRACE_DAY="3")
    assert program.wait(SECONDS) == 2
    assert "Did you mean DUNNING_GRACE_DAYS?" in (tmp_path / "log").read_text()


def test_a_port_that_is_taken_is_avoided() -> None:
    """The preferred port where it is free, any other where it is not."""
    preferred = free_port()
    assert free_port(preferred) == preferred
    with socket.create_server(("127.0.0.1", preferred)):
        assert free_port(preferred) != preferred


def test_the_sandbox_supplies_only_what_is_missing(tmp_path: Path) -> None:
    """A real Stripe key stays, and so does the merchant's own name; the mails go to the local inbox."""
    given = {"STRIPE_API_KEY": "sk_test_of_somebody", "DUNNING_BRAND_NAME": "Northwind"}
    with ExitStack() as stack:
        supplies = supply(stack, given, tmp_path)
        assert supplies.stripe is None
        assert supplies.inbox
        assert supplies.environment["SMTP_URL"] == supplies.inbox.url
    assert given.keys().isdisjoint(supplies.environment)
    assert "DUNNING_LIVEMODE" not in supplies.environment


def test_mails_of_a_simulated_stripe_never_reach_a_real_server(tmp_path: Path) -> None:
    """Its customers are simulated too: an SMTP_URL that is set is put aside, live mode is switched off."""
    with ExitStack() as stack:
        supplies = supply(stack, {"SMTP_URL": "smtp://mail.merchant.example"}, tmp_path)
        assert supplies.stripe
        assert supplies.inbox
        assert supplies.environment["SMTP_URL"] == supplies.inbox.url
        assert supplies.environment["DUNNING_LIVEMODE"] == "false"


def test_data_is_kept_and_can_be_used_again_after_a_kill(tmp_path: Path) -> None:
    """On embedded servers, with settings of one's own: kill -9 leaves the data, and no process."""
    port = str(free_port())
    settings = OWN | {"DUNNING_RECEIVER_PORT": port, "DUNNING_API_PORT": str(free_port())}
    settings["COMMET_WEBHOOK_SECRETS"] = "whsec_test"
    started: set[int] = set()
    for ending in (signal.SIGKILL, signal.SIGTERM):
        program = Up(tmp_path, "--data-dir", "kept", **settings)
        try:
            until(lambda: is_ready(port), SECONDS, "the receiver is ready")
            started |= (running := descendants(program.pid))
            assert len(running) >= 2 * (len(PROGRAMS) + 2)  # each of ours and both servers, with a supervisor
            program.send_signal(ending)
            assert program.wait(SECONDS) == (0 if ending == signal.SIGTERM else 128 + ending)
        finally:
            program.kill()
    until(lambda: not any(alive(pid) for pid in started), SECONDS, "everything has ended")
    assert (tmp_path / "kept/postgres/cluster/PG_VERSION").exists()
    assert (tmp_path / "kept/valkey/appendonlydir").exists()
    said = (tmp_path / "log").read_text()
    assert "stripe listen --forward-to" in said
    assert "simulated" not in said
    for name in ("stripe", "commet"):
        assert f"http://127.0.0.1:{port}/webhooks/{name} " in said


def is_ready(port: str) -> bool:
    """Whether the receiver can store events."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_can_be_stopped_while_it_starts(tmp_path: Path, number: signal.Signals) -> None:
    """Exit code 0, and nothing is left of the server that was just being started."""
    program = Up(tmp_path, "--sandbox")
    try:
        until(lambda: bool(descendants(program.pid)), SECONDS, "the first server is being started")
        started = descendants(program.pid)
        program.send_signal(number)
        assert program.wait(SECONDS) == 0
        until(lambda: not any(alive(pid) for pid in started), SECONDS, "everything has ended")
    finally:
        program.kill()
