"""The systemd unit starts each process, with limits that the processes can live with."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.registry import ENTRIES, PROCESSES
from serving.watchdog import PATIENCE, STOPS_WITHIN

UNIT = Path(__file__).resolve().parent.parent / "ops" / "systemd" / "dunning-PROCESS@.service"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_has_nothing_against_the_unit(tmp_path: Path) -> None:
    """Under the name of each process, with a program that exists."""
    text = UNIT.read_text(encoding="utf-8").replace("/opt/dunning/bin/dunning", sys.executable)
    units = [tmp_path / f"dunning-{entry.name}@1.service" for entry in ENTRIES if entry.panel == PROCESSES]
    for unit in units:
        unit.write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, timeout=60
    )
    complaints = [line for line in done.stderr.splitlines() if "dunning-" in line]
    assert (done.returncode, complaints) == (0, [])


def test_it_gives_processes_the_time_they_need() -> None:
    """Whatever a process does about itself comes before what systemd does, and starts are never given up."""
    settings = dict(
        line.split("=", 1) for line in UNIT.read_text(encoding="utf-8").splitlines() if line[:1].isupper()
    )
    assert int(settings["TimeoutStopSec"]) > STOPS_WITHIN
    assert int(settings["WatchdogSec"]) > PATIENCE
    assert (settings["Restart"], settings["StartLimitIntervalSec"]) == ("always", "0")
    assert settings["ExecStart"].split() == ["/opt/dunning/bin/dunning", "%j"]
