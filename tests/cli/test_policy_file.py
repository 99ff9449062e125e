"""`dunning policy check` and `default`: what a file comes to, and a file to start from."""

import json
import subprocess
from datetime import date, timedelta
from pathlib import Path

import pytest

from dunning.defaults import default_book
from dunning.policy import Policy
from dunning.policy_file import read_policy
from dunning.policy_text import FIELDS, own_values, write_policy
from dunning.segments import Match, PolicyBook, Segment
from tests.cli.forking import dunning

SEGMENTED = """
grace = "20d"
mail_hours = "mon-fri 08:00-18:00"

[ladder]
insufficient_funds = ["2d", "5d"]

[[segment]]
name = "annual"
when = { interval = "year", country = ["DE", "AT"] }
grace = "30d"

[segment.ladder]
expired_card = ["1d"]

[[segment]]
name = "rest"
when = {}
"""


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return dunning("policy", *arguments, cwd=cwd)


def nameless(book: PolicyBook) -> list[object]:
    """Everything but the version in the keys."""
    policies = [book.base, *(segment.policy for segment in book.segments)]
    return [
        [policy.model_copy(update={"key": ""}) for policy in policies],
        [(segment.name, segment.match) for segment in book.segments],
    ]


def test_the_default_is_a_file_that_is_the_default(tmp_path: Path) -> None:
    """Read back it is the same policy, segments included; it needs no settings, and `check` takes it."""
    printed = run("default", cwd=tmp_path)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert nameless(read_policy(printed.stdout)) == nameless(default_book(Policy()))
    (tmp_path / "policy.toml").write_text(printed.stdout, encoding="utf-8")
    checked = run("check", "policy.toml", cwd=tmp_path)
    assert checked.returncode == 0
    assert "(changed)" not in checked.stdout


def test_the_default_explains_every_field(tmp_path: Path) -> None:
    """In the words of the model, so that they cannot go stale; the zone is left to the settings."""
    text = run("default", cwd=tmp_path).stdout
    for name in FIELDS:
        about = Policy.model_fields[name].description
        assert about, f"{name} is not described"
        assert about in " ".join(text.replace("\n# ", " ").split())
        assert f"\n{name} = " in text or f"\n[{name}]\n" in text or f"\n# {name} = " in text
    assert read_policy(text, time_zone="Asia/Tokyo").base.time_zone == "Asia/Tokyo"
    assert max(map(len, text.splitlines())) <= 100


ODD = Policy(
    holidays=frozenset({date(2026, 12, 25), date(2027, 1, 1)}),
    limited_after=None,
    final_warnings=(timedelta(hours=100),),
    high_value={"jpy": 1},
    most_reminders=0,
    retries="worker",
)


@pytest.mark.parametrize(
    "book",
    [
        PolicyBook(ODD),
        PolicyBook(Policy(), (Segment("odd", Match(metadata={"tier x": "gold"}), ODD),)),
        PolicyBook(
            Policy(),
            (
                Segment("one", Match(plan=frozenset({"Team"}), trial_conversion=False), ODD),
                Segment("two", Match(currency=frozenset({"usd", "eur"}), amount_at_least=5), Policy()),
            ),
        ),
        read_policy(SEGMENTED),
    ],
    ids=["base", "metadata", "several", "read"],
)
def test_what_is_written_is_read_back(book: PolicyBook) -> None:
    """Any policy but for tables that have lost an entry, which a segment has no words for."""
    back = read_policy(write_policy(book))
    assert back.base.model_copy(update={"key": book.base.key, "time_zone": "UTC"}) == book.base
    for segment, original in zip(back.segments, book.segments, strict=True):
        assert (segment.name, segment.match) == (original.name, original.match)
        own = own_values(original.policy, book.base)
        assert own_values(segment.policy, back.base) == own


def test_a_segment_shows_what_is_its_own(tmp_path: Path) -> None:
    """One block each, below all that holds for everybody, in a hundred columns."""
    (tmp_path / "policy.toml").write_text(SEGMENTED, encoding="utf-8")
    shown = run("check", "policy.toml", cwd=tmp_path)
    assert shown.returncode == 0
    everybody, _, segments = shown.stdout.partition("Segments, in the order they are tried")
    assert "grace                   20d   (changed)" in everybody
    assert "mail_hours              mon-fri 08:00-18:00   (changed)" in everybody
    assert "    insufficient_funds       2d, 5d   (changed)" in everybody
    assert 'annual: when interval = "year", country = ["AT", "DE"]' in segments
    assert [line.split() for line in segments.splitlines()[2:]] == [
        ["grace", "30d"],
        ["ladder"],
        ["expired_card", "1d"],
        ["rest:", "always"],
        ["nothing", "is", "different"],
    ]
    assert max(map(len, shown.stdout.splitlines())) <= 100
    told = json.loads(run("check", "policy.toml", "--json", cwd=tmp_path).stdout)
    assert told["segments"][0]["policy"]["ladder"]["insufficient_funds"] == ["P2D", "P5D"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('grace = "14"', "policy.toml:1"),
        ('[ladder]\nexpired = ["1d"]', "policy.toml:2"),
        ('mail_hours = "mornings"', "write days and times"),
        ('\n\ntime_zone = "Berlin"', "policy.toml:3"),
        (None, "policy.toml cannot be read"),
    ],
)
@pytest.mark.parametrize("command", ["check", "simulate"])
def test_a_bad_file_is_told_with_its_line(
    command: str, text: str | None, complaint: str, tmp_path: Path
) -> None:
    """Exit code 2, whoever reads it."""
    if text is not None:
        (tmp_path / "policy.toml").write_text(text, encoding="utf-8")
    arguments = {"check": ("policy.toml",), "simulate": ("--policy", "policy.toml", "--all-codes")}[command]
    done = run(command, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in " ".join(done.stderr.replace("│", " ").split())
