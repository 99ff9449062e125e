"""Whatever stands still around them, processes that are asked to end do so in time (F15, long form only)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.conftest import Tell
from tests.chaos.crew import COMMANDS, manned, terminate
from tests.chaos.test_ends import STOPS_WITHIN, bring_work
from tests.processes.tree import descendants
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
    assert survivors == 0
