"""`dunning demo` as anybody runs it: thirty days through the real program."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.machine import processes_of

# Half a minute's work for whoever has two cores. Beside other tests it takes longer, and is as right then:
# what stands still notices that by itself, after a minute.
SECONDS = 300.0
pytestmark = pytest.mark.timeout(SECONDS + 20)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty directory with settings in it that the demo must not use."""
    directory = tmp_path_factory.mktemp("demo")
    (directory / ".env").write_text("STRIPE_API_KEY=sk_live_not_for_the_demo\nSMTP_URL=smtp://mail.invalid\n")
    return directory


@pytest.fixture(scope="module")
def run(directory: Path) -> subprocess.CompletedProcess[str]:
    """The demo, run once for all tests."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR", "LANG")}
    return subprocess.run(
        [sys.executable, "-P", "-m", "cli", "demo", "--json", "--seed", "7"],
        cwd=directory,
        env=kept | {"DUNNING_GRACE_DAYS": "3"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def answer(run: subprocess.CompletedProcess[str]) -> Any:
    """What it wrote to stdout: one JSON document and nothing else."""
    assert run.stdout, run.stderr
    return json.loads(run.stdout)


def test_every_story_ends_as_it_must(run: subprocess.CompletedProcess[str], answer: Any) -> None:
    """Exit code 0, no difference, nothing on stderr."""
    assert {customer["name"]: customer["differences"] for customer in answer["customers"]} == {
        customer["name"]: [] for customer in answer["customers"]
    }
    assert (run.returncode, run.stderr) == (0, "")
    assert answer["ok"]
    assert answer["seed"] == 7


def test_webhooks_came_twice(answer: Any) -> None:
    """A control: the disorder was real."""
    totals = answer["totals"]
    assert totals["events"] > 400
    assert totals["deliveries"] > totals["events"] * 1.1


def test_the_mails_lie_there_as_pages(answer: Any) -> None:
    """As many as were counted, listed on the first page under their simulated dates."""
    index = Path(answer["inbox"])
    pages = list(index.parent.glob("[0-9]*.html"))
    assert len(pages) == answer["totals"]["mails"] + answer["totals"]["team_calls"]
    assert "Wednesday, 21 January 2026" in index.read_text()
    for customer in answer["customers"]:
        for mail in customer["mails"]:
            assert mail["subject"] in (index.parent / mail["page"]).read_text().replace("&#39;", "'")


def test_logs_hold_no_address_and_no_secret(directory: Path, answer: Any) -> None:
    """Ids only: nobody's name or address, no key, no link that pays."""
    logs = "".join(log.read_text() for log in (directory / ".dunning/demo/logs").iterdir())
    assert "event.applied" in logs
    for customer in answer["customers"]:
        assert customer["email"] not in logs
        assert customer["name"] not in logs
    assert not re.search(r"sk_test_|whsec_|/hosted/", logs)


def test_nothing_is_left_running(run: subprocess.CompletedProcess[str], directory: Path) -> None:
    """Neither a process nor anything else outlives the demo."""
    assert run.returncode == 0
    assert processes_of(directory) == []
