"""`dunning policy diff`, through the real command, over rows in a real database."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.world.histories import accounts, fill
from cli.database import read
from cli.replays import Answer, Question, compare_all
from dunning.comparison import Comparison, Totals
from dunning.defaults import default_book
from dunning.policy import Policy
from dunning.policy_file import read_policy
from dunning.segments import PolicySource
from settings import ToolSettings
from tests.cli.forking import ROOT, dunning
from tests.cli.test_tables import read_terminal

MANY = 60
NEW = 'grace = "10d"\nlimited_after = "7d"\n'

Ask = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def histories(database_url: str) -> str:
    """A database of customers whose renewals failed in all sorts of ways."""
    fill(database_url, MANY)
    return database_url


@pytest.fixture
def ask(database_url: str, tmp_path: Path) -> Ask:
    """Run `dunning policy diff` on the test's database, with the new policy in `new.toml`."""
    (tmp_path / "new.toml").write_text(NEW, encoding="utf-8")
    env = {"DATABASE_URL": database_url, "DUNNING_LIVEMODE": "false"}
    return lambda *arguments, **more: dunning("policy", "diff", *arguments, cwd=tmp_path, **(env | more))


def expected(old: PolicySource, new: PolicySource, since: datetime | None = None) -> Totals:
    """The same without a database."""
    totals, comparison = Totals(), Comparison(old, new, since)
    for account in accounts(MANY):
        found = comparison.of(account)
        if found.cases:
            totals.add(found)
    return totals


def test_everything_that_differs_is_told(histories: str, ask: Ask) -> None:
    """Exit code 1; in JSON every customer, and totals by kind and name, as the rules alone say it."""
    done = ask("new.toml", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    told = json.loads(done.stdout)
    wanted = expected(default_book(Policy()), read_policy(NEW))
    assert (told["customers"], told["cases"]) == (MANY, MANY)
    assert told["cases_untouched"] == MANY - wanted.cases_touched
    assert len(told["differences"]) == told["customers_touched"] == wanted.customers_touched
    assert {(row["kind"], row["name"]): row["comes"] for row in told["totals"]} == {
        key: tally.comes for key, tally in wanted.rows.items()
    }
    listed = [change for each in told["differences"] for change in each["changes"]]
    assert len(listed) == sum(
        row["comes"] + row["goes"] + row["earlier"] + row["later"] for row in told["totals"]
    )
    moved = next(change for change in listed if change["way"] == "moves")
    assert (
        moved["by_seconds"]
        == (datetime.fromisoformat(moved["new"]) - datetime.fromisoformat(moved["old"])).total_seconds()
    )


def test_people_get_totals_and_the_largest(histories: str, ask: Ask) -> None:
    """Totals count everybody; the list is as long as --limit allows, with words and times."""
    done = ask("new.toml", "--limit", "2")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert f"of {MANY} cases differ" in lines[0]
    assert "untouched" in lines[0]
    assert any(line.startswith("access revoked") for line in lines)
    assert sum(line.startswith("cus_") for line in lines) == 2
    assert "the 2 with the most differences" in done.stdout
    assert "Access revoked" in done.stdout
    assert "UTC" in done.stdout
    silent = ask("new.toml", "--limit", "0").stdout
    assert "cus_" not in silent
    assert silent.splitlines()[0] == lines[0]


def test_nothing_differs_from_itself(histories: str, ask: Ask, tmp_path: Path) -> None:
    """Exit code 0: the policy in force against itself, and a file against the same words."""
    default = dunning("policy", "default", cwd=tmp_path).stdout
    (tmp_path / "default.toml").write_text(default, encoding="utf-8")
    (tmp_path / "again.toml").write_text(f"# the same\n{NEW}", encoding="utf-8")
    for arguments in (("default.toml",), ("again.toml", "--against", "new.toml")):
        done = ask(*arguments)
        assert (done.returncode, done.stdout) == (0, f"Nothing differs in {MANY} cases.\n")
    in_force = ask("again.toml", "--json", DUNNING_POLICY_FILE="new.toml")
    assert (in_force.returncode, json.loads(in_force.stdout)["differences"]) == (0, [])


def test_only_cases_since_a_day(histories: str, ask: Ask) -> None:
    """Older ones are neither counted nor listed; and where there is none, there is nothing to replay."""
    since = datetime(2026, 1, 1, tzinfo=UTC)
    told = json.loads(ask("new.toml", "--since", "2026-01-01", "--json").stdout)
    wanted = expected(default_book(Policy()), read_policy(NEW), since)
    assert 0 < told["cases"] == wanted.cases < MANY
    assert told["customers_touched"] == wanted.customers_touched
    nobody = ask("new.toml", "--since", "2030-01-01")
    assert (nobody.returncode, nobody.stdout) == (0, "There are no cases to replay.\n")


@pytest.mark.parametrize("place", ["new", "old"])
def test_a_bad_file_is_no_difference(place: str, ask: Ask, tmp_path: Path) -> None:
    """Exit code 2, with the line, before anything is read."""
    (tmp_path / "bad.toml").write_text('\ngrace = "soon"\n', encoding="utf-8")
    done = ask(*(("bad.toml",) if place == "new" else ("new.toml", "--against", "bad.toml")))
    assert (done.returncode, done.stdout) == (2, "")
    assert "bad.toml:2" in done.stderr


def test_without_a_database_it_fails(ask: Ask, tmp_path: Path) -> None:
    """With another exit code than that of a difference: CI must tell the two apart."""
    done = ask("new.toml", "--json", DATABASE_URL=f"postgresql://d@/d?host={tmp_path}/nowhere")
    assert (done.returncode, done.stdout) == (3, "")
    assert "Look at DATABASE_URL" in done.stderr


def settings_of(url: str) -> ToolSettings:
    return ToolSettings(database_url=url, livemode=False)  # type: ignore[call-arg]  # fields are given by name


def answers(url: str, question: Question, **options: Any) -> tuple[Answer, list[int]]:
    """The answer and what a progress bar would have heard."""
    heard: list[int] = []

    async def work(connection: AsyncConnection) -> Answer:
        return await compare_all(
            connection,
            settings_of(url).database_url_sqlalchemy,
            question,
            begun=heard.append,
            done=heard.append,
            **options,
        )

    return read(settings_of(url), work), heard


def test_many_processes_say_what_one_says(histories: str) -> None:
    """Whoever replays which batch: the same totals, the same customers, everybody counted once."""
    for keep in (None, 7):
        question = Question(default_book(Policy()), read_policy(NEW), keep=keep)
        alone, heard = answers(histories, question, batch=25)
        assert heard == [MANY, 25, 25, 10]
        together, heard = answers(histories, question, batch=7, worth_processes=0)
        assert together == alone
        assert (heard[0], sum(heard[1:])) == (MANY, MANY)
        assert len(alone.differences) == (keep or alone.totals.customers_touched)


def test_a_terminal_sees_a_bar(histories: str, tmp_path: Path) -> None:
    """On stderr, so that the answer can go into a file."""
    (tmp_path / "new.toml").write_text(NEW, encoding="utf-8")
    terminal, inside = pty.openpty()
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    command = [sys.executable, "-m", "cli", "policy", "diff", "new.toml", "--json"]
    env |= {"DATABASE_URL": histories, "DUNNING_LIVEMODE": "false"}
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=out, stderr=inside)
    os.close(inside)
    shown = b""
    with open(terminal, "rb", buffering=0) as reader:
        while chunk := read_terminal(reader.fileno()):
            shown += chunk
    assert process.wait(30) == 1
    assert b"replaying" in shown
    assert json.loads((tmp_path / "out").read_bytes())["customers"] == MANY
