"""The starter's side of the supervisor: start a command, stop it, kill it, wait for it."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Literal

from sandbox import supervisor

Become = Literal["keep", "namespace", "nobody"]

_SUPERVISOR = Path(supervisor.__file__)
# Between the supervisor's own SIGKILL and the end of the supervisor.
_MARGIN_SECONDS = 5.0


class Supervised:
    """One command that cannot outlive this process.

    Attributes:
        pid: of the command itself, not of its supervisor; 0 when it could not be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        output: int | IO[bytes],
        stop_signal: Literal["INT", "TERM"] = "TERM",
        grace_seconds: float = 10.0,
        become: Become = "keep",
        remove: Sequence[Path] = (),
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        inherit: Sequence[int] = (),
    ) -> None:
        """Start it.

        Args:
            output: receives the stdout and stderr of the command (a file, or subprocess.PIPE).
            stop_signal: what a clean stop is for this command.
            grace_seconds: how long it may take to stop when this process is gone.
            become: how to leave uid 0.
            remove: directories to delete when this process is gone without having stopped the command.
            inherit: file descriptors that the command and its children shall keep open.
        """
        options = ["--signal", stop_signal, "--grace", str(grace_seconds), "--become", become]
        for directory in remove:
            options += ["--remove", str(directory)]
        lifeline, self._lifeline = os.pipe()  # ours closes with this process, however it ends
        started, starting = os.pipe()
        self._process = subprocess.Popen(
            # -I -S: neither the environment nor site-packages can slow it down or break it
            [sys.executable, "-I", "-S", str(_SUPERVISOR), *options, "--", *command],
            stdin=lifeline,
            stdout=starting,
            stderr=output,
            env=None if env is None else dict(env),
            cwd=cwd,
            pass_fds=inherit,
            start_new_session=True,
        )
        os.close(lifeline)
        os.close(starting)
        with open(started) as pipe:
            self.pid = int(pipe.readline() or "0")
        if self.pid == 0:
            self._process.wait()  # nothing may ever be sent to pid 0, which is our own process group

    @property
    def output(self) -> IO[bytes]:
        """The command's output; ValueError unless it was started with `output=subprocess.PIPE`."""
        if self._process.stderr is None:
            raise ValueError("the output of this command goes elsewhere")
        return self._process.stderr

    def poll(self) -> int | None:
        """The exit code (128 + n for signal n), or None while it runs."""
        return self._process.poll()

    def request_stop(self, grace_seconds: float) -> None:
        """Ask for a clean stop, SIGKILL after `grace_seconds`; does not wait."""
        with contextlib.suppress(BrokenPipeError):  # it has ended by itself
            os.write(self._lifeline, f"stop {grace_seconds}\n".encode())

    def wait(self, timeout_seconds: float | None = None) -> int:
        """Block until it has ended; answers the exit code, raises subprocess.TimeoutExpired."""
        code = self._process.wait(timeout_seconds)
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        return code

    def stop(self, grace_seconds: float = 10.0) -> int:
        """Stop it cleanly, or by SIGKILL after `grace_seconds`; answers the exit code."""
        if self._lifeline >= 0:
            self.request_stop(grace_seconds)
        return self.wait(grace_seconds + _MARGIN_SECONDS)

    def kill(self) -> None:
        """SIGKILL the command itself, as a crash would; returns when it is gone."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # ended a moment ago
                os.kill(self.pid, signal.SIGKILL)
        self.wait()
