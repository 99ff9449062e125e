"""`dunning doctor`: what it prints, what scripts get, and its exit codes."""

import json
from pathlib import Path

from tests.cli.forking import dunning
from tests.settings.examples import ALL


def test_it_finds_what_is_wrong_and_says_what_to_do(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """The tests' PostgreSQL does not wait for its disk; Redis is as it should be."""
    env = ALL | {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    only = ("--only", "database", "--only", "redis", "--only", "team")
    done = dunning("doctor", *only, cwd=tmp_path, **env)
    assert done.returncode == 1
    assert "fault PostgreSQL: does not wait for its disk" in done.stdout
    assert "→ Set fsync and full_page_writes to on." in done.stdout
    assert "good  Redis: Valkey" in done.stdout
    assert "risk  Team: cannot be reached" in done.stdout
    assert done.stdout.rstrip().endswith("2 faults, 1 risk, 1 note.")
    said = json.loads(dunning("doctor", *only, "--json", cwd=tmp_path, **env).stdout)
    assert (said["ok"], {each["level"] for each in said["findings"]}) == (
        False,
        {"good", "fault", "risk", "note"},
    )


def test_exit_codes(redis_url: str, tmp_path: Path) -> None:
    """Risks fail only with --strict."""
    env = ALL | {"REDIS_URL": redis_url}
    assert dunning("doctor", "--only", "team", cwd=tmp_path, **env).returncode == 0
    assert dunning("doctor", "--only", "team", "--strict", cwd=tmp_path, **env).returncode == 1


def test_settings_that_would_stop_a_process(tmp_path: Path) -> None:
    """Each once, with the processes it stops; the receiver's machine is not asked for a mail server."""
    env = {name: value for name, value in ALL.items() if name != "SMTP_URL"} | {"DUNNING_GRACE_DAYS": "none"}
    done = dunning("doctor", "--only", "team", cwd=tmp_path, **env)
    assert done.returncode == 1
    assert "SMTP_URL is not set." in done.stdout
    assert "These do not start: worker." in done.stdout
    assert "DUNNING_GRACE_DAYS" in done.stdout
    fine = dunning("doctor", "--for", "receiver", "--only", "team", cwd=tmp_path, **env)
    assert (fine.returncode, "SMTP_URL" in fine.stdout) == (0, False)


def test_a_name_nobody_knows(tmp_path: Path) -> None:
    """It says which there are."""
    done = dunning("doctor", "--only", "databse", cwd=tmp_path, **ALL)
    assert done.returncode == 1
    assert "database, redis, rabbitmq, systems, stripe" in done.stderr
