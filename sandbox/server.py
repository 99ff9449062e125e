"""What the embedded PostgreSQL and the embedded Valkey have in common.

A server has two directories. `data` keeps what must survive, the log, and the lock that lets one server at
a time use it; the lock is inherited by the server and by all that it forks, so it is free exactly when the
last of them is gone. `runtime` is short-lived and short in name: the unix socket lives there.
"""

import fcntl
import os
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Literal

from sandbox.errors import DataInUseError, SandboxError, ServerFailedError
from sandbox.runtime import clean_environment
from sandbox.supervised import Become, Supervised

_READY_SECONDS = 60.0  # crash recovery on a slow disk included
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.02
_LOG_LINES = 15


class Server(ABC):
    """A real server process on a unix socket, which cannot outlive this process.

    Attributes:
        url: where clients connect; the same after a restart.
        data: the directory that survives a restart.
        lock_seconds: how long to wait for the data; a server whose starter was just killed is still stopping.
    """

    lock_seconds = 20.0
    name: str
    stop_signal: Literal["INT", "TERM"]

    def __init__(self, url: str, data: Path, runtime: Path, become: Become = "keep") -> None:
        """Describe the server; nothing is started yet."""
        self.url = url
        self.data = data
        self._runtime = runtime
        self._become = become
        self._process: Supervised | None = None

    @abstractmethod
    def _prepare(self, lock: int) -> None:
        """Make the data directory fit to start on; called while the lock on it is held."""

    @abstractmethod
    def _command(self) -> list[str]:
        """The server's command line."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether a client gets an answer now."""

    @property
    def pid(self) -> int:
        """The real server process; SandboxError when it was not started."""
        if self._process is None:
            raise SandboxError(f"{self.name} is not running")
        return self._process.pid

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self.data / "server.log"

    def start(self) -> None:
        """Start and wait until a client gets an answer.

        Raises:
            DataInUseError: another server works on the same data.
            ServerFailedError: it ended, or did not answer in time; with its last log lines.
        """
        if self._process is not None:
            return
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self._lock()
        try:
            self._prepare(lock)
            self._process = self._supervise(self._command(), lock)
        finally:
            os.close(lock)
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop cleanly; nothing to do when it is not running."""
        if self._process is not None:
            self._process.stop(_STOP_SECONDS)
            self._process = None

    def kill(self) -> None:
        """SIGKILL the server process, as a crash would; `start` brings it back."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def revive(self) -> bool:
        """Start it again if it has ended by itself; whether it had."""
        if self._process is None or self._process.poll() is None:
            return False
        self._process.wait()
        self._process = None
        self.start()
        return True

    def restart(self) -> None:
        """Stop cleanly and start again on the same data and the same url."""
        self.stop()
        self.start()

    def _supervise(self, command: list[str], lock: int) -> Supervised:
        with self.log.open("ab") as log:
            return Supervised(
                command,
                output=log,
                stop_signal=self.stop_signal,
                grace_seconds=_STOP_SECONDS,
                become=self._become,
                remove=[self._runtime],
                env=clean_environment(),
                inherit=[lock],
            )

    def _lock(self) -> int:
        lock = os.open(self.data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + self.lock_seconds
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(lock)
                    raise DataInUseError(
                        f"another {self.name} is running on {self.data}: stop it, or choose another directory"
                    ) from None
                time.sleep(_POLL_SECONDS)
            else:
                return lock

    def _wait_until_ready(self, process: Supervised) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not self._answers():
            if (code := process.poll()) is not None:
                raise self._failure(f"ended with exit code {code} while starting")
            if time.monotonic() > deadline:
                raise self._failure(f"did not answer within {_READY_SECONDS:.0f} s")
            time.sleep(_POLL_SECONDS)

    def _failure(self, what: str) -> ServerFailedError:
        lines = self.log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
        return ServerFailedError("\n  ".join([f"{self.name} {what}; the end of {self.log}:", *lines]))
