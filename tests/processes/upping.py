"""`dunning up`, as a test starts it: it ends with the tests, however they end."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from sandbox.supervised import Supervised

# Seconds that it has for a clean stop when the tests are gone.
GRACE = 30.0


class Up:
    """One that runs; its output is in the file `log` of its directory."""

    def __init__(self, directory: Path, *options: str, **settings: str) -> None:
        """Start it with these settings, and none of whoever runs the tests."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
        self.log = directory / "log"
        with self.log.open("ab") as log:
            self._supervised = Supervised(
                [sys.executable, "-P", "-m", "cli", "up", *options],
                output=log,
                grace_seconds=GRACE,
                env=kept | settings,
                cwd=directory,
            )

    @property
    def pid(self) -> int:
        return self._supervised.pid

    def send_signal(self, number: signal.Signals) -> None:
        """To itself alone, as Ctrl-C and service managers do."""
        os.kill(self.pid, number)

    def wait(self, seconds: float) -> int:
        """Its exit code, 128 + n for signal n; raises subprocess.TimeoutExpired."""
        return self._supervised.wait(seconds)

    def kill(self) -> None:
        """If it still runs."""
        self._supervised.kill()
