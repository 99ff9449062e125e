"""`dunning breaker`: what holds everything back, by hand and by itself, and letting go of it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.forking import dunning

Ask = Callable[..., subprocess.CompletedProcess[str]]
MARIA = ("--by", "maria", "--why", "a wrong price list.")


@pytest.fixture
def ask(database_url: str, tmp_path: Path) -> Ask:
    """Run `dunning` on the test's database."""
    return lambda *arguments, **env: dunning(*arguments, cwd=tmp_path, DATABASE_URL=database_url, **env)


def test_tripped_by_hand_shown_and_released(ask: Ask) -> None:
    """Exit code 1 while it holds, with who and why; 0 before and after."""
    calm = ask("breaker")
    assert (calm.returncode, calm.stdout.splitlines()[0]) == (0, "Nothing is held back")
    assert "20, or 4 times as usual" in calm.stdout
    assert ask("breaker", "trip", *MARIA).returncode == 0
    held = ask("breaker")
    assert held.returncode == 1
    for part in ("The breaker is tripped", "maria", "a wrong price list"):
        assert part in held.stdout
    status = ask("status")
    assert status.returncode == 1
    assert status.stdout.startswith("ON HOLD: the breaker is tripped")
    assert "The breaker has been tripped since" in status.stdout
    let_go = ask("breaker", "release", "--by", "maria", "--why", "it is right again")
    assert (let_go.returncode, "a wrong price list." in let_go.stdout) == (0, True)
    assert ask("breaker").returncode == 0
    assert "ON HOLD" not in ask("status").stdout


def test_each_says_the_same_to_scripts(ask: Ask) -> None:
    """JSON on stdout, with the same exit codes."""
    assert json.loads(ask("breaker", "--json").stdout) == {
        "tripped": None,
        "failures": {"hour": 0, "processing_errors": 0, "usual": 0.0},
        "revocations": {"hour": 0, "day": 0, "base": 0},
    }
    tripped = json.loads(ask("breaker", "trip", *MARIA, "--json").stdout)["tripped"]
    assert (tripped["by"], tripped["reason"]) == ("maria", "a wrong price list")
    held = ask("breaker", "--json")
    assert (held.returncode, json.loads(held.stdout)["tripped"]) == (1, tripped)
    assert json.loads(ask("status", "--json").stdout)["tripped"] == tripped
    assert json.loads(ask("breaker", "release", *MARIA, "--json").stdout)["released"] == tripped


def test_what_is_done_already_is_an_error(ask: Ask) -> None:
    """Exit code 1 and a sentence: nobody believes to have held or released what they have not."""
    nothing = ask("breaker", "release", *MARIA)
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "nothing is held back" in nothing.stderr
    ask("breaker", "trip", *MARIA)
    again = ask("breaker", "trip", "--by", "ben", "--why", "me too")
    assert (again.returncode, again.stdout) == (1, "")
    assert "a wrong price list" in again.stderr


@pytest.mark.parametrize("verb", ["trip", "release"])
@pytest.mark.parametrize("given", [(), ("--by", "maria"), ("--by", "maria", "--why", " ")])
def test_nobody_does_it_without_a_name_and_a_reason(ask: Ask, verb: str, given: tuple[str, ...]) -> None:
    """Wrong usage, exit code 2."""
    done = ask("breaker", verb, *given)
    assert (done.returncode, done.stdout) == (2, "")


def test_limits_that_are_off_are_said_to_be(ask: Ask) -> None:
    """Nobody shall trust what is not there."""
    shown = ask("breaker", DUNNING_BREAKER="off")
    assert (shown.returncode, "DUNNING_BREAKER is off" in shown.stdout) == (0, True)


@pytest.mark.parametrize("verb", ["trip", "release"])
def test_help_teaches_each_with_an_example(ask: Ask, verb: str) -> None:
    """A line to copy."""
    assert f"dunning breaker {verb} --by maria" in ask("breaker", verb, "--help").stdout
