"""The directory that a demo leaves behind to be looked at: mails as pages, and logs."""

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

from sandbox.errors import DataInUseError


@contextlib.contextmanager
def fresh_directory(path: Path) -> Iterator[Path]:
    """Hold the directory while the block runs, without the mails and logs of the demo before.

    Raises DataInUseError while another demo holds it, OSError when it cannot be written.
    """
    path.mkdir(parents=True, exist_ok=True)
    with (path / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataInUseError(f"another demo is running in {path}: stop it, or go elsewhere") from None
        for old in ("mails", "logs"):
            if (path / old).exists():
                shutil.rmtree(path / old)
        yield path
