"""Tables in a pipe and in a terminal."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from cli.tables import heading, print_pairs, print_rows, say
from tests.cli.test_main import ROOT

PROGRAM = """
from cli.tables import heading, print_pairs, print_rows, say
heading("Title")
print_rows(["Id", "Why"], [["in_0123456789012345678901234567\\nsub_1", "because " * 12]])
print_pairs([("Name", "value " * 20)])
"""


def test_a_pipe_gets_one_plain_line_per_row(capsys: pytest.CaptureFixture[str]) -> None:
    """Aligned, unwrapped, without colours or frames, however long; cells of several lines are joined."""
    heading("Title")
    print_rows(["Id", "Why"], [["in_1\nsub_1", "x" * 200], [None, True]])
    print_pairs([("Name", 1), ("Longer name", None)])
    say("Words.", indent=2, label="now  ")
    assert capsys.readouterr().out.splitlines() == [
        "Title",
        "ID          WHY",
        f"in_1 sub_1  {'x' * 200}",
        "-           yes",
        "  Name         1",
        "  Longer name  -",
        "  now  Words.",
    ]


def test_nothing_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """No heading over an empty table."""
    print_rows(["Id"], [], empty="No cases.")
    assert capsys.readouterr().out == "No cases.\n"


def test_a_terminal_gets_what_fits_and_whole_ids(tmp_path: Path) -> None:
    """Eighty columns hold every line, and an id can be copied in one piece."""
    terminal, inside = pty.openpty()
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "COLUMNS": "80", "TERM": "xterm"}
    subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=env, stdout=inside, timeout=30, check=True
    )
    os.close(inside)
    shown = b""
    with open(terminal, "rb", buffering=0) as reader:
        while chunk := read_terminal(reader.fileno()):
            shown += chunk
    plain = _without_colours(shown.decode())
    assert "in_0123456789012345678901234567" in plain
    assert "sub_1" in plain
    assert max(len(line) for line in plain.splitlines()) <= 80
    assert "\x1b[1" in shown.decode()  # the title is bold


def read_terminal(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says EIO when the other end is closed and all is read
        return b""


def _without_colours(text: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text).replace("\r", "")
