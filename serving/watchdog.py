"""Ends a process that makes no more progress, or is asked to stop and does not: it is started again then.

A frozen event loop is worse than no process: it holds its port, its messages and its place in the balance.
Nothing in a frozen loop can notice that, so a thread looks; and where the whole process is frozen, systemd
does, if it runs with `WatchdogSec`. Needs the standard library alone, since the receiver has it too.
"""

import asyncio
import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial

# Seconds. The longest that anything of ours holds up its loop on purpose is a few tens of milliseconds.
PATIENCE = 20
# Seconds from the first request to stop. Supervisors are told to wait for 25 and more.
STOPS_WITHIN = 22
EVERY = 1.0
TOLD_WITHIN = 1.0
# Exit codes. Of sysexits.h: a temporary failure, and whoever asks again may have more luck.
STUCK = 1
RESTART = 75

Tell = Callable[..., None]


class Watchdog:
    """Counts the seconds without a beat while it is awake itself: a machine that slept was not frozen."""

    def __init__(
        self, name: str, tell: Tell, *, patience: int = PATIENCE, ends_after: int = STOPS_WITHIN
    ) -> None:
        """`tell` writes a log event with fields, most severe; `name` stands before the dot of it.

        `patience` and `ends_after` in seconds.
        """
        self._name = name
        self._tell = tell
        self._patience = patience
        self._ends_after = ends_after
        self._beats = 0
        self._stopping = False
        self._watched = threading.get_ident()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self, thread: int | None = None) -> None:
        """Watch from now on. `thread` (an ident; this one) is where to look for what holds everything up."""
        self._watched = thread or threading.get_ident()
        self._thread.start()

    def beat(self) -> None:
        """There is progress. Any thread."""
        self._beats += 1

    def stopping(self) -> None:
        """The process was asked to stop: from now on its time is counted. Safe in a signal handler."""
        self._stopping = True

    def end(self, event: str, **fields: object) -> None:
        """End the process at once, with a line that says why."""
        line = partial(self._tell, f"{self._name}.{event}", at=where(self._watched), **fields)
        # What holds everything up may be the log itself, whose reader is gone or frozen.
        telling = threading.Thread(target=line, daemon=True)
        telling.start()
        telling.join(TOLD_WITHIN)
        os._exit(STUCK)

    async def beat_forever(self, trouble: Callable[[], str | None] = lambda: None) -> None:
        """Beat each second on the running loop; the process ends as soon as there is `trouble`."""
        while True:
            if why := trouble():
                self.end("stuck", why=why)
            self.beat()
            await asyncio.sleep(EVERY)

    def _run(self) -> None:
        pause = threading.Event()
        seen, silent, stopping = self._beats, 0, 0
        while not pause.wait(EVERY):
            silent = silent + 1 if self._beats == seen else 0
            seen = self._beats
            if self._stopping:
                stopping += 1
                if stopping > self._ends_after:
                    self.end("stop_cut_short", seconds=self._ends_after)
            elif silent >= self._patience:
                self.end("stuck", seconds=self._patience)
            tell_systemd("WATCHDOG=1")


def where(thread: int) -> str:
    """The file, line and function that a thread is in, as a log may hold it."""
    frame = sys._current_frames().get(thread)
    if frame is None:
        return "nowhere"
    last = traceback.extract_stack(frame)[-1]
    return f"{last.filename}:{last.lineno} {last.name}"


def tell_systemd(state: str) -> None:
    """Say something on the socket that systemd listens on; nothing where there is none."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notify:
        try:
            notify.connect(address.replace("@", "\0", 1) if address.startswith("@") else address)
            notify.send(state.encode())
        except OSError:
            return  # systemd is being restarted itself; it is told again in a second


def resident_megabytes() -> float:
    """The memory that this process holds, in MiB; 0 where the kernel does not say (anything but Linux)."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024**2
    except FileNotFoundError:
        return 0.0
