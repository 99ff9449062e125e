"""The process itself: what it loads, how it is started, what it writes."""

import asyncio
import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.settings.examples import ALL
from tests.webhooks.conftest import Query
from tests.webhooks.process import DEADLINE, ReceiverProcess, wait_until
from tests.webhooks.stripe_calls import SECRET, event, signed
from webhooks.app import Receiver
from webhooks.config import ReceiverConfig
from webhooks.log import LibraryHandler, Log

NEVER = {
    "stripe", "sqlalchemy", "jinja2", "fastapi", "typer", "rich", "pydantic", "structlog", "settings",
    "prometheus_client",
}  # fmt: skip
NOT_AT_FIRST = {"redis", "pika", "dramatiq"}
SVIX = "whsec_dGVzdC1zZWNyZXQtb2YtMjQtYnl0ZXM="
# The client of Redis loads it where it is installed, which is for the extra `otel` alone.
ONLY_BY_REDIS = {"opentelemetry"}


def loaded_by(statement: str) -> set[str]:
    """The top-level packages in a fresh interpreter after `statement`."""
    script = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_it_loads_nothing_heavy() -> None:
    """Starting loads no library it can do without, and the queue's own only later, in the nudger."""
    loaded = loaded_by("import webhooks.server")
    assert {"asyncpg", "uvicorn", "webhooks"} <= loaded
    assert not loaded & (NEVER | NOT_AT_FIRST | ONLY_BY_REDIS)
    plain = ("STRIPE_WEBHOOK_SECRETS", "COMMET_WEBHOOK_SECRETS", "SES_WEBHOOK_PASSWORDS")
    known_by = {name: ["secret"] for name in plain}
    known_by |= {"RESEND_WEBHOOK_SECRETS": [SVIX], "DUNNING_EVENT_SOURCES": [f"d standard {SVIX}", "e hex f"]}
    doors = loaded_by(f"from providers import systems; assert len(systems.doors({known_by})) == 6")
    assert not doors & (NEVER | NOT_AT_FIRST | ONLY_BY_REDIS | {"httpx"})
    later = loaded_by("import webhooks.server, dramatiq.brokers.redis, worker.rabbit")
    assert later >= NOT_AT_FIRST
    assert not later & NEVER


def test_the_command_is_the_receiver(database_url: str, redis_url: str, query: Query, tmp_path: Path) -> None:
    """`dunning receiver` serves with settings from the environment, in the process that was started.

    That has never loaded what reads them, and whoever did is gone.
    """
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "STRIPE_WEBHOOK_SECRETS": SECRET,
        "DUNNING_LIVEMODE": "false",
        "DUNNING_RECEIVER_PORT": "1",
        "DUNNING_LOG_FORMAT": "json",
    }
    command = [sys.executable, "-m", "cli", "receiver", "--port", "0"]
    process = ReceiverProcess(command, env=environment, cwd=tmp_path)
    body = event()
    assert process.post(body, signed(body)).status_code == 200
    of_the_process = Path(f"/proc/{process.popen.pid}")
    assert b"postgres" not in (of_the_process / "cmdline").read_bytes()
    mapped = (of_the_process / "maps").read_text()
    assert "asyncpg" in mapped
    assert "pydantic" not in mapped
    assert not (of_the_process / "task" / of_the_process.name / "children").read_text()
    assert process.stop() == 0
    assert len(query("SELECT id FROM inbox")) == 1
    assert "whsec" not in str(process.log)


def test_the_command_names_what_is_missing(tmp_path: Path) -> None:
    """Without a signing secret nothing is started: exit code 2, and the setting's name."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", "receiver"],
        env={"PATH": os.environ["PATH"], "DATABASE_URL": "postgresql:///x?host=/x", "REDIS_URL": "unix:///x"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 2
    assert "STRIPE_WEBHOOK_SECRETS" in done.stderr


def test_it_can_be_stopped_while_it_starts(tmp_path: Path) -> None:
    """Neither the process nor the one that reads its settings complains, and nobody stays behind."""
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)):
        started = subprocess.Popen(
            [sys.executable, "-m", "cli", "receiver"],
            env={"PATH": os.environ["PATH"], **ALL},
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            children = Path(f"/proc/{started.pid}/task/{started.pid}/children")
            wait_until(children.read_text, "somebody who reads the settings")
            started.send_signal(number)
            # The other one has standard error too: it is at its end only when both are gone.
            assert started.communicate(timeout=DEADLINE) == (None, "")
            assert started.returncode == code
        finally:
            started.kill()


def test_a_port_in_use_is_said(config: ReceiverConfig) -> None:
    """A port somebody else has: exit code 1 and the reason, no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        script = (
            "import sys; from webhooks.config import ReceiverConfig; from webhooks.server import serve;"
            "sys.exit(serve(ReceiverConfig.from_json(sys.stdin.read())))"
        )
        values = json.loads(config.to_json()) | {"port": port}
        done = subprocess.run(
            [sys.executable, "-c", script],
            input=json.dumps(values),
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
    assert done.returncode == 1
    (line,) = map(json.loads, done.stderr.splitlines())
    assert (line["event"], line["port"]) == ("receiver.cannot_listen", port)


def test_the_configuration_keeps_its_secrets(config: ReceiverConfig) -> None:
    """It survives the hand-over whole, shows no secret, and refuses to be without one."""
    assert ReceiverConfig.from_json(config.to_json()) == config
    assert "whsec" not in repr(config)
    assert "postgres" not in repr(config)
    for secrets in ((), ("",), (SECRET, "")):
        with pytest.raises(ValueError, match="signing secret"):
            ReceiverConfig("d", "r", {"A": secrets}, livemode=False, host="h", port=0)


def test_a_fault_of_ours_is_a_503(config: ReceiverConfig) -> None:
    """Whatever breaks inside, the provider is told to try again; the log says where, not with what."""

    def broken() -> float:
        raise ZeroDivisionError("telltale")

    out = io.StringIO()
    receiver = Receiver(config, Log("json", "error", out), clock=broken)
    body = event()

    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(app=receiver)
        async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
            return await client.post("/webhooks/stripe", content=body, headers=signed(body))

    assert asyncio.run(post()).status_code == 503
    line = json.loads(out.getvalue())
    assert (line["event"], line["error"]) == ("webhook.failed", "ZeroDivisionError")
    assert line["line"].startswith(__file__)
    assert "telltale" not in out.getvalue()
    assert receiver.figures()["unavailable"] == {"fault": 1}


def test_lines_look_like_those_of_the_other_processes() -> None:
    """JSON with process, event, level and a UTC time stamp; nothing below the level that is wanted."""
    out = io.StringIO()
    log = Log("json", "warning", out)
    log.info("receiver.started", port=1)
    log.warning("webhook.rejected", reason="empty")
    (line,) = map(json.loads, out.getvalue().splitlines())
    assert line.pop("timestamp").endswith("Z")
    assert line == {"process": "receiver", "event": "webhook.rejected", "level": "warning", "reason": "empty"}


def test_lines_for_people() -> None:
    """In a terminal the same is said in one readable line."""
    out = io.StringIO()
    Log("console", "info", out).info("receiver.started", port=8080)
    assert out.getvalue().endswith("[info   ] receiver.started         port=8080\n")


def test_libraries_are_heard_without_their_arguments() -> None:
    """What a library logs is passed on as its template and the error's class."""
    out = io.StringIO()
    library = logging.Logger("some.library")
    library.addHandler(LibraryHandler(Log("json", "info", out)))
    library.info("not heard")
    try:
        raise ValueError("telltale")
    except ValueError:
        library.exception("failed for %s", "telltale")
    library.warning(ValueError("telltale"))
    first, second = map(json.loads, out.getvalue().splitlines())
    assert (first["event"], first["message"], first["error"]) == (
        "library.error",
        "failed for %s",
        "ValueError",
    )
    assert (second["event"], second["message"]) == ("library.warning", "ValueError")
    assert "telltale" not in out.getvalue()
