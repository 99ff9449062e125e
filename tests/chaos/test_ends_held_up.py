"""Whatever stands still around them, processes that are asked to end do so in time (F15, long form only)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from sandbox.demo.stage import stage
from tests.chaos.conftest import Tell
from tests.chaos.crew import COMMANDS, Crew, terminate
from tests.chaos.test_ends import STOPS_WITHIN
from tests.processes.fire import Fire
from tests.processes.test_burst import FAILS
from tests.processes.tree import descendants
from tests.webhooks.process import frozen


@pytest.fixture
def silence() -> Iterator[str]:
    """A mail server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("still", ["PostgreSQL", "Redis", "both", "mail server"])
def test_what_stands_still_holds_up_no_end(
    still: str, silence: str, long: bool, tell: Tell, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A server that is there and says nothing, amid the work that needs it."""
    if not long:
        pytest.skip("minutes of waiting")
    folder = tmp_path_factory.mktemp("held_up")
    with ExitStack() as stack:
        scene = stack.enter_context(stage(folder / "stage", seed=1, programs=()))
        crew = Crew(scene, folder, **({"SMTP_URL": silence} if still == "mail server" else {}))
        stack.callback(crew.end_all)
        crew.start()
        fire = Fire(scene, (FAILS,), 4)
        for clock in fire.clocks:
            fire.advance(clock, 0)
        fire.until(lambda: fire.rows("SELECT 1 FROM outbox"), 20, "work")
        fire.close()
        servers = {"PostgreSQL": [scene.postgres.pid], "Redis": [scene.valkey.pid]}
        servers["both"] = [*servers["PostgreSQL"], *servers["Redis"]]
        pids = [pid for parent in servers.get(still, []) for pid in (parent, *descendants(parent))]
        with crew.asked(), frozen(*pids):
            survivors = crew.end(dict.fromkeys(COMMANDS, terminate))
    seconds = {kind: round(max(took for _, took in exits), 2) for kind, exits in crew.exits.items()}
    codes = {kind: sorted({code for code, _ in exits}) for kind, exits in crew.exits.items()}
    tell("F15", stands_still=still, seconds=seconds, exit_codes=codes, survivors=survivors)
    assert max(seconds.values()) <= STOPS_WITHIN
    assert survivors == 0
