"""A new billing system is a folder in `providers/` and nothing else, from its first event to a mail."""

from __future__ import annotations

import hmac
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.inbox import Inbox
from tests.cli.forking import ROOT
from tests.cli.test_processes import DEADLINE
from tests.providers import newcomer
from tests.settings.examples import ALL
from tests.webhooks.process import ReceiverProcess

SECRET = "paper-secret-0123456789"
FOLDER = Path(newcomer.__file__).parent
# Read by every Python that is started with the folder it is in on its path.
BESIDE_OURS = f"import providers\nproviders.__path__.append({str(FOLDER)!r})\n"
DUNNED = {
    "number": "p-1",
    "contract": "c-1",
    "debtor": "d-1",
    "time_of_asking": 1,
    "post_box": "ada@a.example",
}


@pytest.fixture
def env(database_url: str, redis_url: str, inbox: Inbox, tmp_path: Path) -> dict[str, str]:
    """Settings of an installation that knows this system and no other."""
    (tmp_path / "sitecustomize.py").write_text(BESIDE_OURS)
    others = {name: value for name, value in ALL.items() if not name.startswith("STRIPE_")}
    return others | {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SMTP_URL": inbox.url,
        "DUNNING_LOG_FORMAT": "json",
        # Where it is noon, so that mails need not wait for the morning.
        "DUNNING_TIMEZONE": f"Etc/GMT{datetime.now(UTC).hour - 12:+d}",
        "PAPERBILL_SECRETS": SECRET,
    }


@pytest.fixture
def worker(env: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen([sys.executable, "-m", "cli", "worker"], cwd=tmp_path, env=env)
    yield started
    started.terminate()
    started.wait(DEADLINE)


def test_a_folder_is_enough(env: dict[str, str], worker: object, inbox: Inbox, tmp_path: Path) -> None:
    """Its path, its secret, its settings and its facts: the receiver takes the event, the worker mails."""
    command = [sys.executable, "-m", "cli", "receiver", "--port", "0"]
    receiver = ReceiverProcess(command, env=env, cwd=tmp_path)
    body = json.dumps(DUNNED | {"written": datetime.now(UTC).isoformat()}).encode()
    signature = hmac.new(SECRET.encode(), body, "sha256").hexdigest()
    answers = [
        receiver.client.post("/webhooks/paperbill", content=body, headers={"x-paperbill": given}).status_code
        for given in ("0" * 64, signature)
    ]
    strangers = receiver.client.post("/webhooks/stripe", content=body).status_code
    assert receiver.stop() == 0
    assert (answers, strangers) == ([400, 200], 404)
    assert inbox.wait_for(1, "ada@a.example", DEADLINE)
