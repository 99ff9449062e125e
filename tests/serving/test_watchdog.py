"""A process that makes no more progress ends, and says where it stood; one that is well does not."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from serving.watchdog import STUCK
from tests.sandbox.machine import until

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 2  # seconds, of a process in these tests
WITHIN = 20.0
# A process whose loop beats; the argument is what happens to it after the first second.
PROGRAM = f"""
import asyncio, json, sys, time
from serving.watchdog import Watchdog

def tell(event, **fields):
    print(json.dumps({{"event": event, **fields}}), file=sys.stderr, flush=True)

async def main():
    watchdog = Watchdog("test", tell, patience={PATIENCE}, ends_after=1)
    watchdog.start()
    beating = asyncio.create_task(watchdog.beat_forever(lambda: trouble))
    await asyncio.sleep(1)
    print("well", flush=True)
    exec(sys.argv[1], globals(), {{"watchdog": watchdog}})
    await asyncio.sleep(60)

trouble = None
asyncio.run(main())
"""


@contextmanager
def running(
    happens: str, *, log: int | IO[str] = subprocess.PIPE, **env: str
) -> Iterator[subprocess.Popen[str]]:
    """The process, after its first second."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, happens],
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], **env},
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    with program:
        try:
            assert program.stdout is not None
            assert program.stdout.readline() == "well\n"
            yield program
        finally:
            program.kill()


def ended(program: subprocess.Popen[str]) -> dict[str, object]:
    """What it says when it has ended as it should."""
    _, said = program.communicate(timeout=WITHIN)
    assert program.returncode == STUCK
    told: dict[str, object] = json.loads(said)
    return told


def test_a_frozen_loop_ends_the_process() -> None:
    """With the place at which it stands."""
    with running("time.sleep(60)") as program:
        told = ended(program)
    assert (told["event"], told["seconds"]) == ("test.stuck", PATIENCE)
    assert "<string>" in str(told["at"])


def test_trouble_ends_the_process_at_once() -> None:
    """What somebody else has noticed, in their words."""
    with running("globals().update(trouble='no tick has ended for 150 s')") as program:
        told = ended(program)
    assert (told["event"], told["why"]) == ("test.stuck", "no tick has ended for 150 s")


def test_a_stop_that_takes_too_long_is_cut_short() -> None:
    """Asked to stop, a process ends, whatever holds it."""
    with running("watchdog.stopping(); time.sleep(60)") as program:
        assert ended(program)["event"] == "test.stop_cut_short"


def test_a_log_that_nobody_reads_holds_up_no_end() -> None:
    """The pipe is full, and whoever writes to it stands still: the watchdog itself must not."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as log, running("print('x' * 10**6, file=sys.stderr)", log=log) as program:
        assert program.wait(WITHIN) == STUCK
    os.close(reading)


def test_a_process_that_was_stopped_itself_is_not_stuck() -> None:
    """A machine that sleeps for longer than the patience goes on afterwards."""
    with running("pass") as program:
        program.send_signal(signal.SIGSTOP)
        time.sleep(PATIENCE + 1.5)
        program.send_signal(signal.SIGCONT)
        with pytest.raises(subprocess.TimeoutExpired):
            program.wait(1.5)


def heard(socket_: socket.socket) -> Sequence[bytes]:
    """Everything that was said to systemd so far."""
    said = []
    while True:
        try:
            said.append(socket_.recv(100, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return said


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_that_the_process_lives(tmp_path: Path, abstract: bool) -> None:
    """Each second, until the process as a whole stands still, which it cannot notice itself."""
    address = f"@dunning-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(address.replace("@", "\0"))
        with running("pass", NOTIFY_SOCKET=address) as program:
            until(lambda: b"WATCHDOG=1" in heard(notify), WITHIN, "a sign of life")
            program.send_signal(signal.SIGSTOP)
            heard(notify)
            time.sleep(1.5)
            assert heard(notify) == []
