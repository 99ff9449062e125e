"""`dunning access`, `case` and `explain`, asked about customers whose rows the worker wrote."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.inbox import Inbox
from tests.cli.forking import dunning
from tests.console.worlds import world_on
from tests.scenarios.story import subscriber
from tests.scenarios.world import World

Ask = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def world(database_url: str, inbox: Inbox) -> Iterator[World]:
    """A world whose rows stand in the test's database."""
    with world_on(database_url, inbox) as world:
        yield world


@pytest.fixture
def ask(database_url: str, tmp_path: Path) -> Ask:
    """Run `dunning` on the test's database, its output going into a pipe."""
    return lambda *arguments: dunning(
        *arguments, cwd=tmp_path, DATABASE_URL=database_url, DUNNING_LIVEMODE="false"
    )


def test_access_tells_the_facts_and_the_exit_code(world: World, ask: Ask) -> None:
    """0 with access, 4 without, 3 for somebody unknown: each a code of its own, and none of them 1."""
    warned = subscriber(world, "insufficient_funds").until(1)
    revoked = subscriber(world, "expired_card").until(16)
    shown = ask("access", warned.customer.id)
    assert shown.returncode == 0
    assert "2026-02-12 10:00 UTC (in 9 days)" in shown.stdout
    assert "payment_failed" in shown.stdout
    said = json.loads(ask("access", warned.customer.id, "--json").stdout)
    assert (said["access"], said["level"], said["until"]) == (True, "warned", "2026-02-12T10:00:00Z")
    gone = ask("access", revoked.customer.id, "--json")
    assert gone.returncode == 4
    assert json.loads(gone.stdout)["access"] is False
    for question in (["cus_nobody"], [warned.customer.id, "--source", "commet"]):
        unknown = ask("access", *question)
        assert (unknown.returncode, unknown.stdout) == (3, "")
        assert "Nothing has been heard" in unknown.stderr


def test_cases_are_listed_with_what_comes_next(world: World, ask: Ask) -> None:
    """Open ones first; one plain line each in a pipe; JSON for scripts; --open and --limit leave out."""
    closed = subscriber(world, "insufficient_funds", "ok", email="gil@customer.example").until(4)
    still_open = subscriber(world, "stolen_card", email="bob@customer.example").until(8)
    lines = ask("case", "list").stdout.splitlines()
    assert lines[0].split()[:3] == ["CUSTOMER", "INVOICE", "SUBSCRIPTION"]
    assert [line.split()[0] for line in lines[1:]] == [still_open.customer.id, closed.customer.id]
    assert "masked" in lines[1]
    assert "(nobody has seen the last call, reminder 1) (in 2 days)" in lines[1]
    assert "closed: recovered" in lines[2]
    [facts] = json.loads(ask("case", "list", "--open", "--json").stdout)
    assert (facts["invoice"], facts["attempts"], facts["category"]) == (still_open.invoice.id, 1, "masked")
    assert facts["next"]["at"] == "2026-02-12T10:00:00+00:00"
    limited = ask("case", "list", "--limit", "1").stdout
    assert closed.customer.id not in limited
    assert "There are more than 1" in limited


def test_a_case_is_shown_by_invoice_customer_or_address(world: World, ask: Ask) -> None:
    """The same file whichever way it is asked for: facts, charges, timeline, messages, plan."""
    story = subscriber(world, "insufficient_funds", name="Ada Example").until(9)
    shown = ask("case", "show", story.invoice.id)
    assert shown.returncode == 0
    for part in (
        "Charges that failed",
        "Timeline",
        "Messages",
        "What comes next, if nobody pays",
        "What is held back",
        "3 really made, 3 counted by Stripe",
        "Case opened",
        "Call to the team (charges keep failing)",
        "$19.00",
    ):
        assert part in shown.stdout
    [file] = json.loads(ask("case", "show", story.invoice.id, "--json").stdout)
    for wanted in (story.customer.id, story.email.upper(), file["facts"]["number"]):
        assert ask("case", "show", wanted).stdout == shown.stdout
    assert len(file["ledger"]) == 3
    assert file["facts"]["access_until"] == "2026-02-16T10:00:00+00:00"
    nobody = ask("case", "show", "in_nothing")
    assert nobody.returncode == 1
    assert "Nothing is known of in_nothing" in nobody.stderr
    assert "an invoice of theirs" in " ".join(nobody.stderr.replace("│", " ").split())


def test_explain_tells_the_story(world: World, ask: Ask) -> None:
    """Every part under its heading, with the account's own time; JSON holds the same sentences."""
    story = subscriber(world, "insufficient_funds", name="Ada Example").until(3)
    shown = ask("explain", story.email)
    assert shown.returncode == 0
    assert shown.stdout.startswith(f"Ada Example · {story.email} · {story.customer.id}\n")
    assert "where it is 2026-02-05 10:00 UTC" in shown.stdout
    for part in (
        "What happened",
        "What was done",
        "What was not done",
        "What comes next",
        "What would change",
    ):
        assert f"\n{part}" in shown.stdout
    assert re.search(r"2026-02-13 10:00 UTC \(in 8 days\) +Final warning", shown.stdout)
    told = json.loads(ask("explain", story.customer.id, "--json").stdout)
    assert told["access"]["level"] == "warned"
    assert told["stories"][0]["coming"][0]["text"].startswith("Mail 2 about the open payment")
    for wanted in (story.invoice.id, told["stories"][0]["case"]["number"]):
        assert json.loads(ask("explain", wanted, "--json").stdout) == told


def test_a_customer_without_cases_is_no_error(world: World, ask: Ask) -> None:
    """There is access and nothing to tell."""
    story = subscriber(world)
    assert "No renewal has ever failed" in ask("explain", story.customer.id).stdout
    shown = ask("case", "show", story.customer.id)
    assert (shown.returncode, "has no case" in shown.stdout) == (0, True)
    assert ask("case", "list").stdout == "No cases.\n"


@pytest.mark.parametrize("command", [("explain",), ("case", "show")])
def test_an_address_of_several_customers_lists_them(world: World, ask: Ask, command: tuple[str, ...]) -> None:
    """Exit code 2, and what to ask instead."""
    one, other = subscriber(world), subscriber(world, name="Ada Example")
    done = ask(*command, one.email)
    assert (done.returncode, done.stdout) == (2, "")
    assert one.customer.id in done.stderr
    assert other.customer.id in done.stderr
    assert "Ask by the id" in done.stderr


QUESTIONS = (
    ("access", "cus_1"),
    ("case", "list"),
    ("case", "show", "in_1"),
    ("explain", "cus_1"),
    ("status",),
    ("breaker",),
    ("case", "stop", "in_1", "--why", "test", "--by", "maria"),
    ("policy", "move", "--all", "--why", "test", "--by", "maria"),
)


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_without_a_database_it_could_not_be_found_out(question: tuple[str, ...], tmp_path: Path) -> None:
    """Exit code 1 and a sentence: not "no access", not a traceback, not the password."""
    url = f"postgresql://dunning:hidden@/dunning?host={tmp_path}/nowhere"
    done = dunning(*question, cwd=tmp_path, DATABASE_URL=url)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Look at DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hidden" not in done.stderr


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_a_database_without_tables_wants_migrating(
    question: tuple[str, ...], empty_database_url: str, tmp_path: Path
) -> None:
    """The cure is named."""
    done = dunning(*question, cwd=tmp_path, DATABASE_URL=empty_database_url)
    assert done.returncode == 1
    assert "Run `dunning migrate`" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("access",), ("case", "list"), ("case", "show"), ("explain",), ("status",), ("breaker",), ("api",),
        ("worker",), ("scheduler",), ("case", "hand-over"), ("customer", "exclude"), ("policy", "move"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_help_teaches_with_an_example(command: tuple[str, ...], tmp_path: Path) -> None:
    """A line to copy, for each command."""
    done = dunning(*command, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert f"dunning {' '.join(command)}" in done.stdout.partition("Examples:")[2]
