"""The tables that docs/scaling.md quotes are made of what was measured last."""

import json

import pytest

from benchmarks import quoting
from benchmarks.queueing.costs import MEASURED


def test_what_was_measured_is_quoted() -> None:
    """Each program of ours and each server has its line, in Markdown."""
    found = json.loads(MEASURED.read_text(encoding="utf-8"))
    lines = list(quoting.costs(found))
    assert {line.split(" | ")[0].removeprefix("| ") for line in lines[2:]} == set(quoting.OURS.values())
    assert {line.count("|") for line in lines} == {5}


def test_what_is_full_first_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond what others allow with limits that were raised, since nothing would ever end."""
    monkeypatch.setattr(quoting, "RATES", (1_000.0,))
    [full] = [line for line in quoting.capacities() if "full first" in line]
    [mailed] = [line for line in quoting.capacities() if line.startswith("| mailed")]
    assert "limit" in full
    assert mailed.endswith(" ms |")
