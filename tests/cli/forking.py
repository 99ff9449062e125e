"""`dunning` as a process of its own, forked from one that has imported everything already.

To start Python and import takes most of a second of processor time, a command itself little. What is tested
stays a process: with its own arguments, folder, environment, output and exit code. `tests/cli/test_main.py`
and the tests of long-running processes start `python -m cli` as a user does.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Seconds after which a command counts as hanging.
PATIENCE = 60
# Seconds between looks at whether a command has ended.
MOMENT = 0.005
ONE_AT_A_TIME = threading.Lock()
# What the commands import, most of it only when they are called.
IMPORTED = (
    "asyncpg", "cli.access", "cli.breaker", "cli.case", "cli.case_resend", "cli.customer", "cli.emails",
    "cli.explain", "cli.keys", "cli.link", "cli.main", "cli.policy", "cli.policy_check", "cli.policy_diff",
    "cli.policy_move", "cli.policy_simulate", "cli.replays", "cli.status", "console.answer",
    "console.cases", "console.effect", "console.explain", "console.file", "console.giving", "console.story",
    "console.view", "db.access", "db.api_keys", "db.breaker", "db.lookups", "db.session", "rich.progress",
    "settings.logging", "sqlalchemy.dialects.postgresql.asyncpg", "sqlalchemy.ext.asyncio",
    "worker.breaker", "worker.policy", "worker.usecases.instruct", "worker.usecases.move_policy",
    "worker.usecases.resend",
)  # fmt: skip


def dunning(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `dunning` in this directory with the settings `env` and none of this machine's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with tempfile.TemporaryDirectory() as folder:
        out, err, answer = (Path(folder, name) for name in ("out", "err", "answer"))
        wanted = {
            "arguments": arguments,
            "cwd": str(cwd),
            "env": kept | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"} | env,
            "out": str(out),
            "err": str(err),
            "answer": str(answer),
        }
        os.mkfifo(answer)
        server = _server()
        assert server.stdin is not None
        with ONE_AT_A_TIME:
            server.stdin.write(json.dumps(wanted) + "\n")
            server.stdin.flush()
        code = int(answer.read_text())
        said = [each.read_text(encoding="utf-8") for each in (out, err)]
    return subprocess.CompletedProcess(["dunning", *arguments], code, *said)


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
    running: dict[int, str] = {}
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
                running[pid] = wanted["answer"]
        while running and (ended := os.waitpid(-1, os.WNOHANG))[0]:
            Path(running.pop(ended[0])).write_text(str(os.waitstatus_to_exitcode(ended[1])), encoding="utf-8")


def _become(wanted: dict[str, Any]) -> None:
    """Be the command, to its end."""
    signal.alarm(PATIENCE)
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
