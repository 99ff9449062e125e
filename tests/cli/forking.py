"""`dunning` as a process of its own, forked from one that has imported everything already.

To start Python and import takes most of a second of processor time, a command itself little. What is tested
stays a process: with its own arguments, folder, environment, output and exit code. `tests/cli/test_main.py`
and the tests of long-running processes start `python -m cli` as a user does.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Seconds after which a command counts as hanging.
PATIENCE = 60
# Seconds between looks at whether a command has ended.
MOMENT = 0.005
PR_SET_PDEATHSIG = 1  # from Linux' prctl.h
ONE_AT_A_TIME = threading.Lock()
# What the commands import, most of it only when they are called.
IMPORTED = (
    "asyncpg", "cli.access", "cli.api", "cli.breaker", "cli.case", "cli.case_resend", "cli.customer",
    "cli.clock", "cli.dead", "cli.doctor", "cli.emails", "cli.explain", "cli.forget",
    "cli.import_run", "cli.import_views",
    "cli.importing", "cli.keys", "cli.link", "cli.commands", "cli.migrate", "cli.policy", "cli.policy_check",
    "cli.policy_diff", "cli.policy_move", "cli.policy_simulate", "cli.portal", "cli.reconcile",
    "cli.reconcile_run", "cli.reconcile_views", "cli.replays", "cli.report", "cli.report_views",
    "cli.restored", "cli.roles", "cli.status", "cli.team", "cli.webhooks",
    "console.answer", "console.cases", "console.doctor.doctor", "console.effect", "console.explain",
    "console.figures.page", "console.figures.tidy", "console.file", "console.giving", "console.server",
    "console.story", "console.view", "db.access", "db.api_keys", "db.breaker", "db.lookups", "db.migrate",
    "db.session", "portal.server", "rich.progress", "settings.logging",
    "sqlalchemy.dialects.postgresql.asyncpg", "sqlalchemy.ext.asyncio", "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop", "uvicorn.protocols.http.httptools_impl", "worker.breaker", "worker.main",
    "worker.policy", "worker.rehearsal", "worker.schedule", "worker.usecases.forget",
    "worker.usecases.instruct", "worker.usecases.move_policy", "worker.usecases.resend",
)  # fmt: skip


def dunning(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `dunning` in this directory with the settings `env` and none of this machine's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        kept |= {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}
        code = Forked(arguments, cwd, kept | env, out, err).wait(PATIENCE + 10)
        said = [each.read_text(encoding="utf-8") for each in (out, err)]
    return subprocess.CompletedProcess(["dunning", *arguments], code, *said)


class Forked:
    """A command that runs; it has what the tests use of `subprocess.Popen`."""

    def __init__(
        self,
        arguments: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        out: Path,
        err: Path,
        *,
        patience: int = PATIENCE,
        first: str = "",
    ) -> None:
        """Start it; it writes to the files `out` and `err`, and is ended after `patience` seconds.

        `first` is code that breaks something in it before it begins.
        """
        self.returncode: int | None = None
        self._folder = tempfile.TemporaryDirectory()
        self._answer = Path(self._folder.name, "answer")
        wanted = {
            "arguments": arguments,
            "cwd": str(cwd),
            "env": dict(env),
            "out": str(out),
            "err": str(err),
            "answer": str(self._answer),
            "patience": patience,
            "first": first,
        }
        server = _server()
        assert server.stdin is not None
        with ONE_AT_A_TIME:
            server.stdin.write(json.dumps(wanted) + "\n")
            server.stdin.flush()
        self.pid = int(self._line(0, PATIENCE) or 0)

    def poll(self) -> int | None:
        """Its exit code once it has ended; minus the number of the signal that ended it."""
        if self.returncode is None and (code := self._line(1, 0)) is not None:
            self.returncode = int(code)
            self._folder.cleanup()
        return self.returncode

    def wait(self, seconds: float) -> int:
        """Its exit code; raises TimeoutExpired when it has not ended by then."""
        end = time.monotonic() + seconds
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("dunning", seconds)
            time.sleep(MOMENT)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _line(self, number: int, seconds: float) -> str | None:
        """What the answer has there: the process's id, then its exit code."""
        end = time.monotonic() + seconds
        while True:
            lines = self._answer.read_text().splitlines(keepends=True) if self._answer.exists() else []
            if len(lines) > number and lines[number].endswith("\n"):
                return lines[number].strip()
            if time.monotonic() > end:
                return None
            time.sleep(MOMENT)


@cache
def _server() -> subprocess.Popen[str]:
    """The process that is forked; it ends with its input."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.forking"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        text=True,
    )

    def end() -> None:
        with server:
            pass

    atexit.register(end)
    return server


def serve() -> None:
    """Fork a command for each line of input, and tell its exit code whoever waits for it."""
    for name in IMPORTED:
        import_module(name)
    gc.freeze()
    running: dict[int, Path] = {}
    read = b""
    while True:
        if select.select([0], [], [], MOMENT if running else None)[0]:
            heard = os.read(0, 65_536)
            if not heard:
                return
            *lines, read = (read + heard).split(b"\n")
            for line in lines:
                wanted = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    _become(wanted)
                running[pid] = Path(wanted["answer"])
                _tell(running[pid], pid)
        while running and (ended := os.waitpid(-1, os.WNOHANG))[0]:
            _tell(running.pop(ended[0]), os.waitstatus_to_exitcode(ended[1]))


def _tell(answer: Path, number: int) -> None:
    """Add a line, unless nobody waits for it any more."""
    if answer.parent.exists():
        with answer.open("a", encoding="utf-8") as file:
            file.write(f"{number}\n")


def _become(wanted: dict[str, Any]) -> None:
    """Be the command, to its end; it does not outlive the tests, however they end."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setpgid(0, 0)  # as a shell starts it: a signal to its group is for nobody else
    signal.alarm(wanted["patience"])
    os.chdir(wanted["cwd"])
    os.environ.clear()
    os.environ.update(wanted["env"])
    for number, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, wanted["out"], os.O_WRONLY | os.O_CREAT),
        (2, wanted["err"], os.O_WRONLY | os.O_CREAT),
    ):
        os.dup2(os.open(path, flags), number)
    sys.argv = ["dunning", *wanted["arguments"]]
    code = 1
    try:
        exec(wanted["first"], {})  # noqa: S102  # code of our own tests
        import_module("cli.main").main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
