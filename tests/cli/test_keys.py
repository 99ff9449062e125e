"""`dunning keys` and `dunning case resend`, as a person and a script use them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from console.scopes import MEANINGS
from db import models
from sandbox.inbox import Inbox
from tests.cli.forking import dunning
from tests.cli.test_lookups import Ask
from tests.console.team_api import team_api
from tests.console.test_access_api import is_problem
from tests.console.worlds import world_on
from tests.scenarios.story import subscriber
from tests.scenarios.world import World


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


def test_a_key_is_shown_once_and_lets_in_until_it_is_revoked(
    world: World, database_url: str, ask: Ask
) -> None:
    """Alone on stdout, so that it can be piped; only its hash is kept."""
    made = ask("keys", "create", "support desk", "--scopes", "act,cases", "--days", "30")
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    assert key.startswith("dk_")
    assert len(key) >= 35
    assert "Key 1 (support desk) may cases, act until" in made.stderr
    (row,) = world.rows(models.api_keys)
    assert (row.digest, row.scopes) == (sha256(key.encode()).digest(), ["cases", "act"])
    with team_api(database_url) as api:
        assert api.get("/v1/cases", key=key).status_code == 200
        assert is_problem(api.get("/v1/access/cus_1", key=key), 403, "scope_missing")
        assert ask("keys", "revoke", "1").returncode == 0
        assert is_problem(api.get("/v1/cases", key=key), 401, "key_unknown")
    listed = ask("keys", "list", "--json")
    assert key not in listed.stdout
    first = json.loads(listed.stdout)[0]
    assert (first["label"], first["scopes"]) == ("support desk", ["cases", "act"])
    assert first["revoked_at"]
    assert first["last_used_at"]
    assert "revoked" in ask("keys", "list").stdout


def test_scripts_get_json(ask: Ask) -> None:
    """With the key in it, and what it may do."""
    made = json.loads(ask("keys", "create", "crm", "--scopes", "figures", "--json").stdout)
    assert made["key"].startswith("dk_")
    assert (made["id"], made["scopes"], made["expires_at"]) == (1, ["figures"], None)
    revoked = json.loads(ask("keys", "revoke", "1", "--json").stdout)
    again = json.loads(ask("keys", "revoke", "1", "--json").stdout)
    assert revoked["revoked_at"] == again["revoked_at"]


def test_what_is_wrong_is_said(ask: Ask) -> None:
    """Exit code 2 for a wrong word, 1 for a key that there is not."""

    def code(done: CompletedProcess[str], said: str) -> int:
        assert said in " ".join(done.stderr.replace("\u2502", " ").split()), done.stderr
        return done.returncode

    assert code(ask("keys", "create", "x", "--scopes", "cases,everything"), "everything is no scope") == 2
    assert code(ask("keys", "create", "x", "--scopes", ""), "nothing is no scope") == 2
    assert code(ask("keys", "create", " ", "--scopes", "cases"), "a label is one line") == 2
    assert code(ask("keys", "revoke", "7"), "There is no key 7.") == 1
    assert "No keys." in ask("keys", "list").stdout


def test_the_help_explains_every_scope(ask: Ask) -> None:
    """In the words in which a refusal names it."""
    told = " ".join(ask("keys", "create", "--help").stdout.replace("\u2502", " ").split())
    for scope, meaning in MEANINGS.items():
        assert f"{scope} {meaning}" in told


def test_a_mail_is_sent_again_from_the_command_line(world: World, ask: Ask) -> None:
    """Tried first, then done; refused with the reason and exit code 1."""
    story = subscriber(world, "do_not_honor").until(1)
    say = ("case", "resend", story.invoice.id, "--why", "they deleted it", "--by", "maria")
    tried = ask(*say, "--dry-run")
    assert "Mail 1 about the open payment, sent again." in tried.stdout
    assert [row for row in world.rows(models.outbox) if row.name == "resent"] == []
    done = json.loads(ask(*say, "--json").stdout)
    assert done["step"].endswith(f":payment_failed:{story.invoice.id}:1")
    before = len(story.inbox)
    world.tick()
    assert len(story.inbox) == before + 1
    unknown = ask("case", "resend", "in_nobody", "--why", "x")
    assert (unknown.returncode, "There is no case of in_nobody" in unknown.stderr) == (1, True)
