"""Run one command for as long as the process that asked for it lives, and not a moment longer.

    python supervisor.py [--signal INT] [--grace 10] [--become keep] [--remove DIR]... -- COMMAND ARG...

Needs nothing but the standard library, so that it starts in a few milliseconds and by file path alone.
The starter holds the other end of stdin:

* the line `stop SECONDS` stops the command: the signal, then SIGKILL when the seconds are over;
* end of file means the starter is gone (even by `kill -9`): the same with `--grace`, and the `--remove`
  directories are deleted, since nobody else is left to do it.

The command's pid is written to stdout, one line; its own stdout and stderr both go to our stderr.
Exit code: the command's, 128 + n when signal n ended it, 125 when it could not be started.
"""

import argparse
import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Literal

CANNOT_START = 125
NOBODY = 65534  # the overflow uid and gid of every Linux
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_STDIN = 0
_POLL_SECONDS = 1.0  # how soon a starter whose pipe lives on in a forked copy of it is missed

Ending = Literal["exited", "stopped", "orphaned"]


@dataclass(frozen=True, slots=True)
class Options:
    """What to run and how to end it; `grace` in seconds."""

    command: list[str]
    stop_signal: signal.Signals
    grace: float
    become: str
    remove: list[str]


def parse(argv: list[str]) -> Options:
    """Read the command line; exits with 2 on a wrong one, as argparse does."""
    parser = argparse.ArgumentParser(prog="supervisor")
    parser.add_argument("--signal", default="TERM", help="name of the signal that stops the command cleanly")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds until SIGKILL")
    parser.add_argument("--become", choices=("keep", "namespace", "nobody"), default="keep")
    parser.add_argument("--remove", action="append", default=[], help="delete this directory when orphaned")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args(argv)
    stop_signal = signal.Signals[f"SIG{given.signal}"]
    return Options(given.command, stop_signal, given.grace, given.become, given.remove)


def leave_root(become: str) -> None:
    """Stop being uid 0, which PostgreSQL refuses. Raises OSError where the kernel does not permit it.

    `namespace`: uid 0 outside, nobody inside, so that files stay readable and owned as they are.
    `nobody`: really uid 65534.
    """
    if become == "namespace":
        uid, gid = os.geteuid(), os.getegid()
        if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER):
            raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER) is not permitted")
        for name, line in (
            ("setgroups", "deny"),
            ("uid_map", f"{NOBODY} {uid} 1"),
            ("gid_map", f"{NOBODY} {gid} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(line)
    elif become == "nobody":
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def spawn(options: Options) -> subprocess.Popen[bytes]:
    """Start the command in a process group of its own, to be signalled by the kernel if we are killed."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    supervisor = os.getpid()

    def before_exec() -> None:
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, int(options.stop_signal))
            if os.getppid() != supervisor:  # killed before prctl: nobody is left to signal us
                os._exit(CANNOT_START)

    return subprocess.Popen(
        options.command,
        stdin=subprocess.DEVNULL,
        stdout=2,
        close_fds=False,  # the starter's lock on the data lives in the command and in all that it forks
        process_group=0,
        preexec_fn=before_exec,  # safe: this process has one thread
    )


def watch(command: subprocess.Popen[bytes], starter: int, wakeup: int, grace: float) -> tuple[Ending, float]:
    """Block until the command ends or has to; answers why, and the seconds it may take to stop."""
    while True:
        ready, _, _ = select.select([_STDIN, wakeup], [], [], _POLL_SECONDS)
        if command.poll() is not None:
            return "exited", grace
        if wakeup in ready and signal.SIGTERM in os.read(wakeup, 64):
            return "stopped", grace
        if _STDIN in ready:
            lines = os.read(_STDIN, 256).splitlines()  # the same may have been asked twice
            if not lines:
                return "orphaned", grace
            verb, _, seconds = lines[0].partition(b" ")
            if verb == b"stop":
                return "stopped", float(seconds)
        if os.getppid() != starter:
            return "orphaned", grace


def end(command: subprocess.Popen[bytes], stop_signal: signal.Signals, grace: float) -> None:
    """Stop the command, first politely, and sweep up what it left in its process group."""
    if command.poll() is None:
        command.send_signal(stop_signal)
        try:
            command.wait(grace)
        except subprocess.TimeoutExpired:
            command.kill()
            command.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(command.pid, signal.SIGKILL)


def main(argv: list[str]) -> int:
    """Supervise; answers the exit code."""
    starter = os.getppid()
    options = parse(argv)
    with contextlib.suppress(PermissionError):  # already the leader of a session
        os.setsid()  # Ctrl-C and a closed terminal concern the starter, which stops us in its own order
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # what the starter blocks is its own affair
    wakeup, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # only the wake-up byte matters

    try:
        leave_root(options.become)
        command = spawn(options)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"supervisor: {options.command[0]}: {error}", file=sys.stderr)  # noqa: T201  its only log
        return CANNOT_START
    os.write(1, b"%d\n" % command.pid)
    os.close(1)

    ending, grace = watch(command, starter, wakeup, options.grace)
    end(command, options.stop_signal, grace)
    if ending == "orphaned" or os.getppid() != starter:
        for directory in options.remove:
            shutil.rmtree(directory, ignore_errors=True)
    return command.returncode if command.returncode >= 0 else 128 - command.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
