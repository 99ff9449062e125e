"""`dunning policy simulate`: one imagined failure, with no server at all."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dunning.declines import Category
from tests.cli.forking import dunning

# A Tuesday. Every day of the ladder is one of the customer's own calendar.
ON = ("--on", "2026-12-01T09:00")


def run(cwd: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return dunning("policy", "simulate", *arguments, cwd=cwd, **settings)


def told(cwd: Path, *arguments: str, **settings: str) -> dict[str, Any]:
    done = run(cwd, *arguments, *ON, "--json", **settings)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def days(seen: dict[str, Any], *kinds: str) -> list[tuple[int, str]]:
    return [(step["day"], step["name"]) for step in seen["steps"] if step["kind"] in kinds]


def test_the_calendar_of_a_failure(tmp_path: Path) -> None:
    """Facts and steps in the customer's own time, each with its reason; nothing else is asked for."""
    shown = run(tmp_path, "--code", "insufficient_funds", "--country", "DE", *ON)
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    assert lines[0] == "insufficient_funds: there was not enough money"
    assert "everybody else" in lines[1]
    assert "Europe/Berlin" in lines[1]
    first = next(line for line in lines if "charge 1 is declined" in line)
    assert first.split()[:4] == ["0", "Tue", "2026-12-01", "09:00"]
    assert any("Tue 2026-12-15 10:00  Access revoked" in line for line in lines)
    assert "mail 1 of the ladder, 1 day after the first failure" in shown.stdout


def test_the_whole_of_it_for_scripts(tmp_path: Path) -> None:
    """Mails, calls and the stages of access on their days; times carry the customer's offset."""
    seen = told(tmp_path, "--code", "insufficient_funds", "--country", "DE")
    assert (seen["category"], seen["segment"], seen["time_zone"]) == (
        "insufficient_funds",
        "base",
        "Europe/Berlin",
    )
    mails = days(seen, "mail")
    assert [day for day, name in mails if name == "payment_failed"] == [1, 4, 8]
    assert days(seen, "access") == [(13, "limited"), (14, "revoked")]
    assert [charge["day"] for charge in seen["charges"]] == [0, 3, 5, 7]
    assert seen["steps"][0]["at"] == "2026-12-02T09:00:00+01:00"


@pytest.mark.parametrize(
    ("arguments", "segment", "revoked"),
    [
        ((), "base", 14),
        (("--interval", "week"), "weekly", 7),
        (("--trial",), "trial-conversion", 7),
        (("--interval", "year"), "annual", None),
    ],
    ids=["monthly", "weekly", "trial", "annual"],
)
def test_the_segment_that_fits_is_named(
    arguments: tuple[str, ...], segment: str, revoked: int | None, tmp_path: Path
) -> None:
    """And its grace counts; a charge on the day after is waited for, and for a valuable customer a person."""
    seen = told(tmp_path, "--code", "do_not_honor", *arguments)
    assert seen["segment"] == segment
    assert [day for day, name in days(seen, "access") if name == "revoked"] == ([revoked] if revoked else [])
    if revoked is None:
        assert any("acknowledge" in item["reason"] for item in seen["withheld"])


def test_what_happens_can_be_imagined(tmp_path: Path) -> None:
    """A payment ends it with a receipt, a promise holds it up, a hard decline is not charged again."""
    paid = told(tmp_path, "--code", "do_not_honor", "--paid-on", "4")
    assert days(paid, "mail")[-1] == (4, "payment_recovered")
    assert [charge["day"] for charge in paid["charges"]] == [0, 3]
    promised = told(tmp_path, "--code", "do_not_honor", "--promise", "6")
    assert [day for day, name in days(promised, "mail") if name == "payment_failed"] == [0, 7]
    hard = told(tmp_path, "--code", "stolen_card")
    assert [charge["code"] for charge in hard["charges"]] == ["stolen_card"]
    mixed = told(tmp_path, "--code", "insufficient_funds,expired_card", "--failures", "0,2")
    assert [(charge["day"], charge["code"]) for charge in mixed["charges"]] == [
        (0, "insufficient_funds"),
        (2, "expired_card"),
    ]
    first = told(tmp_path, "--code", "do_not_honor", "--first-payment")
    assert {name for _, name in days(first, "mail")} == {"first_payment"}


def test_a_file_or_the_settings(tmp_path: Path) -> None:
    """The policy in force is that of the settings, file included; --policy stands in for it."""
    (tmp_path / "gold.toml").write_text(
        'grace = "7d"\nlimited_after = "never"\nrevocation_hours = "always"\n'
        '[[segment]]\nname = "gold"\nwhen = { plan = "Gold", metadata = { tier = "a" }, currency = "eur", '
        "amount_at_least = 9900 }\n"
        'grace = "9d"\n',
        encoding="utf-8",
    )
    gold = ("--plan", "Gold", "--metadata", "tier=a", "--currency", "EUR", "--amount", "9900")
    assert days(told(tmp_path, "--code", "expired_card", "--policy", "gold.toml"), "access") == [
        (7, "revoked")
    ]
    seen = told(tmp_path, "--code", "expired_card", "--policy", "gold.toml", *gold)
    assert (seen["segment"], days(seen, "access")) == ("gold", [(9, "revoked")])
    in_force = told(tmp_path, "--code", "expired_card", *gold, DUNNING_POLICY_FILE="gold.toml")
    assert in_force["segment"] == "gold"
    longer = told(tmp_path, "--code", "expired_card", DUNNING_GRACE_DAYS="20")
    assert days(longer, "access")[-1] == (20, "revoked")
    own = told(tmp_path, "--code", "expired_card", "--time-zone", "Asia/Tokyo")
    assert own["steps"][0]["at"].endswith("+09:00")


def test_all_codes_in_one_table(tmp_path: Path) -> None:
    """A line for each category; fraud and our own faults reach no customer and take nothing."""
    shown = run(tmp_path, "--all-codes", *ON)
    rows = {line.split()[0]: line for line in shown.stdout.splitlines()[1:]}
    assert set(rows) == {category.value for category in Category}
    assert rows["insufficient_funds"].split()[1:4] == ["1,", "4,", "8,"]
    assert rows["fraud"].split()[1] == "-"
    assert max(map(len, shown.stdout.splitlines())) <= 100
    told_all = json.loads(run(tmp_path, "--all-codes", *ON, "--json").stdout)
    assert [each["category"] for each in told_all] == [category.value for category in Category]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "--code CODE or --all-codes"),
        (("--code", "x", "--all-codes"), "--code CODE or --all-codes"),
        (("--code", "x", "--failures", "1,2"), "begin with 0"),
        (("--code", "x", "--failures", "soon"), "begin with 0"),
        (("--code", "x", "--metadata", "tier"), "NAME=VALUE"),
        (("--code", "x", "--time-zone", "Berlin"), "no time zone"),
        (("--code", "x", "--on", "tomorrow"), "does not match"),
    ],
)
def test_wrong_usage_is_told(arguments: tuple[str, ...], complaint: str, tmp_path: Path) -> None:
    """Exit code 2 and what is right."""
    done = run(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in " ".join(done.stderr.replace("│", " ").split())
