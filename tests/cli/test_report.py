"""`dunning report`, through the real command, over rows in a real database."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from cli.report_views import bar
from console.figures.definitions import DEFINITIONS
from tests.cli.forking import dunning
from tests.db.conftest import database_at
from tests.db.told import failed_on, stored
from tests.db.year import a_year

CUSTOMERS = 40
YEAR = ("--from", "2026-01", "--to", "2026-11")

Ask = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ask(database_url: str, tmp_path: Path) -> Ask:
    """Run `dunning report` on the test's database, in a folder of its own."""
    env = {"DATABASE_URL": database_url, "DUNNING_LIVEMODE": "false", "DUNNING_TIMEZONE": "Europe/Berlin"}
    return lambda *arguments, **more: dunning("report", *arguments, cwd=tmp_path, **(env | more))


@pytest.fixture
def year(database_url: str) -> None:
    """A year of failed renewals."""
    with database_at(database_url) as database:
        a_year(database, CUSTOMERS)


def test_a_year_is_told_in_every_form(year: None, ask: Ask, tmp_path: Path) -> None:
    """For people with bars, for programs with the same numbers, and as a page."""
    told = ask(*YEAR, "--definitions")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("Failed renewals and their recovery, Jan\N{NO-BREAK SPACE}2026")
    for words in (
        "At risk now: ",
        "█ recovered   ▒ still open   ░ not recovered",
        "The provider's retry",
        "▃",
    ):
        assert words in told.stdout
    for each in DEFINITIONS.values():
        assert f"{each.title}: {each.text}" in told.stdout

    plain = json.loads(ask(*YEAR, "--json").stdout)
    assert plain["total"]["cases"] == CUSTOMERS == sum(month["cases"] for month in plain["months"])
    assert {each["currency"] for each in plain["total"]["money"]} == {"usd", "eur", "jpy"}
    assert plain["watched_since"]

    rows = list(csv.DictReader(StringIO(ask(*YEAR, "--csv", "-").stdout)))
    [cases] = [
        row for row in rows if (row["metric"], row["cohort"], row["dimension"]) == ("cases", "all", "")
    ]
    assert cases["value"] == str(CUSTOMERS)

    written = ask(*YEAR, "--html", "report.html", "--csv", "report.csv")
    assert written.stdout == "Written to report.csv.\nWritten to report.html.\n"
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert len((tmp_path / "report.csv").read_bytes().split(b"\r\n")) == len(rows) + 2


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ((1.0, 0.0, 0.0), "██████████"),
        ((0.55, 0.25, 0.2), "██████▒▒░░"),
        ((0.98, 0.01, 0.01), "████████▒░"),
        ((0.01,), "█"),
        ((0.0, 0.0, 0.0), ""),
    ],
)
def test_a_bar_is_never_longer_than_its_room(parts: tuple[float, ...], shown: str) -> None:
    """And shows what there is, however little."""
    assert bar(parts, 10) == shown


def test_one_currency_alone(year: None, ask: Ask) -> None:
    """And a currency in which nothing was ever billed has no case."""
    plain = json.loads(ask(*YEAR, "--currency", "EUR", "--json").stdout)
    assert [each["currency"] for each in plain["total"]["money"]] == ["eur"]
    assert 0 < plain["total"]["cases"] < CUSTOMERS
    assert "Nothing has failed in Jan" in ask(*YEAR, "--currency", "chf").stdout


def test_months_without_a_failure_still_tell_what_is_at_risk(ask: Ask, database_url: str) -> None:
    """A case of March is open."""
    with database_at(database_url) as database:
        stored(database, [failed_on(0)])
    assert "Nothing has been recovered yet." in ask("--from", "2026-03", "--to", "2026-03").stdout
    told = ask("--from", "2025-01", "--to", "2025-02").stdout
    assert "At risk now: $19.00 in 1 open case." in told
    assert "No renewal failed in Jan\N{NO-BREAK SPACE}2025" in told


def test_an_empty_database_is_good_news(ask: Ask, tmp_path: Path) -> None:
    """Exit code 0 in every form."""
    told = ask()
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("Nothing has failed so far")
    assert json.loads(ask("--json").stdout)["total"]["rate"] is None
    assert ask("--csv", "-").stdout.startswith("metric,cohort,dimension,group,currency,value,unit,definition")
    assert ask("--html", "page.html").returncode == 0
    assert "Nothing has failed so far" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "2026-13"), "no month"),
        (("--from", "2026-01", "--months", "3"), "not both"),
        (("--currency", "euro"), "no currency"),
    ],
)
def test_what_cannot_be_meant_is_refused(ask: Ask, arguments: tuple[str, ...], words: str) -> None:
    """With exit code 2 and the reason."""
    refused = ask(*arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert words in refused.stderr


def test_what_cannot_be_done_is_told(ask: Ask, empty_database_url: str) -> None:
    """With exit code 1: a database that was never migrated, a file that cannot be written."""
    unread = ask(DATABASE_URL=empty_database_url)
    assert unread.returncode == 1
    assert "dunning migrate" in unread.stderr
    unwritten = ask("--html", "no/such/folder.html")
    assert unwritten.returncode == 1
    assert "cannot be written" in unwritten.stderr
