"""F18: whatever strangers' bytes are, they are understood or refused; nothing else is raised, ever.

By a seed from genuine input, and in the long form also guided by coverage where `atheris` is installed.
"""

from __future__ import annotations

import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.chaos.conftest import Tell
from tests.chaos.hostile import in_bytes, in_json
from tests.chaos.parsers import PARSERS, fault
from tests.console.process import ROOT

SEED = 20261128
GUIDED_S = 20  # seconds for each parser


def test_bytes_of_strangers_are_understood_or_refused(long: bool, tell: Tell) -> None:
    """Every parser by itself; what it does understand is where the mutations begin."""
    times = 50_000 if long else 250
    faults: list[str] = []
    for name, parser in PARSERS.items():
        assert fault(parser, parser.genuine) is None, name
        chance = random.Random(f"{SEED} {name}")  # noqa: S311 -- a seed, not a secret
        for number in range(times):
            data = parser.genuine
            for _ in range(chance.choice((1, 1, 2, 4))):
                data = in_json(chance, data) if number % 2 else in_bytes(chance, data)
            if found := fault(parser, data):
                faults.append(f"{name}: {found}")
    tell("F18", door="parsers", seed=SEED, requests=times * len(PARSERS), faults_of_ours=len(faults))
    assert faults[:5] == []


@pytest.mark.only_long
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed: pip install atheris")
@pytest.mark.parametrize("name", PARSERS)
def test_guided_by_coverage(name: str, tmp_path: Path, tell: Tell) -> None:
    """The same by atheris, which changes bytes so that they reach code that none has reached."""
    (tmp_path / "genuine").write_bytes(PARSERS[name].genuine)
    program = [sys.executable, "-m", "tests.chaos.guided", name]
    limits = [f"-max_total_time={GUIDED_S}", "-timeout=5", "-max_len=65536", "-print_final_stats=1"]
    done = subprocess.run(
        [*program, *limits, f"-artifact_prefix={tmp_path}/", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
    tell("F18", door=f"{name}, guided", requests=int(said[0].split()[-1]) if said else 0)
    assert done.returncode == 0, done.stderr[-3000:]
