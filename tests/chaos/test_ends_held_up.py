"""Whatever stands still around them, processes that are asked to end do so in time (F15, long form only)."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.programs import PROGRAMS
from tests.chaos.conftest import Tell
from tests.chaos.crew import COMMANDS, manned, terminate
from tests.chaos.test_ends import STOPS_WITHIN, bring_work
from tests.processes.tree import descendants
from tests.processes.upping import Up
from tests.sandbox.machine import alive, until
from tests.webhooks.process import frozen

pytestmark = pytest.mark.only_long


@pytest.fixture
def silence() -> Iterator[str]:
    """A mail server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("still", ["PostgreSQL", "Redis", "both", "mail server"])
def test_what_stands_still_holds_up_no_end(still: str, silence: str, tell: Tell, tmp_path: Path) -> None:
    """A server that is there and says nothing, amid the work that needs it."""
    settings = {"SMTP_URL": silence} if still == "mail server" else {}
    with manned(tmp_path, 1, **settings) as (driver, crew):
        bring_work(driver)
        driver.until(lambda: driver.left().messages, 20, "a mail")
        servers = {"PostgreSQL": [driver.stage.postgres.pid], "Redis": [driver.stage.valkey.pid]}
        servers["both"] = [*servers["PostgreSQL"], *servers["Redis"]]
        pids = [pid for parent in servers.get(still, []) for pid in (parent, *descendants(parent))]
        with crew.asked(), frozen(*pids):
            survivors = crew.end(dict.fromkeys(COMMANDS, terminate))
    seconds = {kind: round(max(took for _, took in exits), 2) for kind, exits in crew.exits.items()}
    codes = {kind: sorted({code for code, _ in exits}) for kind, exits in crew.exits.items()}
    tell("F15", stands_still=still, seconds=seconds, exit_codes=codes, survivors=survivors)
    assert max(seconds.values()) <= STOPS_WITHIN
    # None was cut short by its watchdog.
    assert {code for each in codes.values() for code in each} == {0}
    assert survivors == 0


def test_up_ends_when_everything_is_told_to_at_once(tmp_path: Path, tell: Tell) -> None:
    """As systemd stops a unit: itself, its processes, both servers and their supervisors all hear of it."""
    up = Up(tmp_path, "--sandbox")
    try:
        until(lambda: up.log.read_text().count(".started") >= len(PROGRAMS), 60, "everything has started")
        started = descendants(up.pid)
        began = time.monotonic()
        for pid in (up.pid, *started):
            terminate(pid)
        code = up.wait(STOPS_WITHIN)
        seconds = round(time.monotonic() - began, 2)
        survivors = sum(map(alive, started))
    finally:
        up.kill()
    tell("F15", group="dunning up", seconds=seconds, exit_code=code, survivors=survivors)
    assert (code, survivors) == (0, 0)
