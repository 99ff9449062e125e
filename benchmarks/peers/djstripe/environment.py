"""The environment that dj-stripe is installed into when somebody first measures it."""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.errors import SkippedError

HERE = Path(__file__).parent
LOCK = HERE / "requirements.lock"
PLACE = Path(sys.prefix) / "dj-stripe"  # within our own, which is made anew as a whole
PATIENCE = 180  # seconds for all downloads


def environment(place: Path = PLACE) -> Path:
    """The folder of its programs, installed from the lock file if that has not been done yet.

    Raises SkippedError where it cannot be installed: the index is not reached, or has not got what is locked.
    """
    stamp, wanted = place / "installed", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        venv.create(place, clear=True, with_pip=True)
        _install(place)
        stamp.write_text(wanted)
    return place / "bin"


def _install(place: Path) -> None:
    command = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes"]
    try:
        subprocess.run(  # noqa: S603 -- pip, with a file of ours
            [*command, "--requirement", str(LOCK)],
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = error.stderr if isinstance(error.stderr, str) else ""
        last = (said.strip().splitlines() or [f"{PATIENCE} seconds were not enough"])[-1]
        raise SkippedError(f"dj-stripe cannot be installed here: {last}") from None
