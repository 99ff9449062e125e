"""The short-lived directory and the environment that an embedded server runs in."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.supervisor import NOBODY

_SOCKET_PATH_BYTES = 107  # sockaddr_un.sun_path without its closing NUL
_LONGEST_SOCKET_NAME = "/.s.PGSQL.5432.lock"
_ALIVE = "alive"  # locked as long as the process that made the directory lives
_YOUNG_SECONDS = 60.0  # a directory may be too new to be locked yet


@contextlib.contextmanager
def runtime_directory(name: str, *, open_to_all: bool = False) -> Iterator[Path]:
    """A directory for one server, its path short enough for a socket's; removed at the end.

    Args:
        name: what the directory's name begins with.
        open_to_all: every user may pass through it; the server is then another one.

    Raises:
        SandboxError: no temporary directory has a path that is short enough.
    """
    parent = _parent(name, open_to_all)
    _sweep(parent, name)
    runtime = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
    with (runtime / _ALIVE).open("w") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        if open_to_all:
            runtime.chmod(0o755)
        try:
            yield runtime
        finally:
            shutil.rmtree(runtime, ignore_errors=True)


def reachable_by_all(directory: Path) -> bool:
    """Whether every user may pass through this directory and all those above it."""
    path = directory.resolve()
    return all(step.stat().st_mode & 0o001 for step in (path, *path.parents))


def clean_environment() -> dict[str, str]:
    """Nothing of the caller's settings or secrets; only what a Python in an unusual place needs to run."""
    wanted = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return wanted | {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _parent(name: str, open_to_all: bool) -> Path:
    for candidate in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108  only mkdtemp creates in them
        parent = Path(candidate).resolve()
        longest = f"{parent}/{name}-XXXXXXXX{_LONGEST_SOCKET_NAME}"
        if len(os.fsencode(longest)) > _SOCKET_PATH_BYTES or not os.access(parent, os.W_OK):
            continue
        if not open_to_all or reachable_by_all(parent):
            return parent
    raise SandboxError(f"no temporary directory can hold a socket's path of {_SOCKET_PATH_BYTES} bytes")


def _sweep(parent: Path, name: str) -> None:
    """Remove what is left where everything was killed at once, supervisors too: a container, a machine."""
    owners = {os.geteuid(), NOBODY} if os.geteuid() == 0 else {os.geteuid()}
    for old in parent.glob(f"{name}-*"):
        with contextlib.suppress(OSError):  # locked, or being removed by another start
            state = old.lstat()
            if state.st_uid not in owners or time.time() - state.st_mtime < _YOUNG_SECONDS:
                continue
            with (old / _ALIVE).open() as alive:
                fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(old, ignore_errors=True)
