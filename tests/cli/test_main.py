"""The `dunning` command as its users meet it: started as a process."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cli.registry import ENTRIES
from tests.cli import forking

ROOT = Path(__file__).resolve().parents[2]


def dunning(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `dunning` in an empty directory with the settings `env` and none of this machine's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=cwd,
        env=kept | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"} | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_teaches_with_examples(tmp_path: Path) -> None:
    """All subcommands with one line each, and lines to copy."""
    done = dunning("--help", cwd=tmp_path)
    assert done.returncode == 0
    for entry in ENTRIES:
        assert entry.name in done.stdout
        assert entry.about in done.stdout
    assert "dunning migrate" in done.stdout
    assert "docs/settings.md" in done.stdout


def test_version(tmp_path: Path) -> None:
    """`--version` prints name and version on stdout."""
    done = dunning("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout.split()[0]) == (0, "dunning")


@pytest.mark.parametrize("arguments", [(), ("migrat",), ("migrate", "--nope"), ("--nope",)])
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Nothing to do, an unknown command, an unknown option: shown what is right, exit code 2."""
    done = dunning(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "dunning" in done.stdout + done.stderr


def test_a_misspelt_command_is_answered_with_the_right_one(tmp_path: Path) -> None:
    """Typer's suggestions work although the commands are not loaded."""
    assert "migrate" in dunning("migrat", cwd=tmp_path).stderr


def test_wrong_settings_exit_with_2_and_say_the_cure(tmp_path: Path) -> None:
    """Every problem on stderr, under its environment name; nothing on stdout."""
    done = dunning("migrate", cwd=tmp_path, DUNNING_GRACE_DAY="3")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "DATABASE_URL is not set" in done.stderr
    assert "Did you mean DUNNING_GRACE_DAYS?" in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_are_read_from_the_env_file(tmp_path: Path) -> None:
    """`.env` of the working directory is read, and its unknown keys are refused."""
    (tmp_path / ".env").write_text("DATABASE_URI=x\n", encoding="utf-8")
    done = dunning("migrate", cwd=tmp_path)
    assert done.returncode == 2
    assert "Did you mean DATABASE_URL?" in done.stderr


def test_a_failed_command_exits_with_1(tmp_path: Path) -> None:
    """A database that is not there is told in a sentence, without a traceback and without the password."""
    done = dunning(
        "migrate", cwd=tmp_path, DATABASE_URL=f"postgresql://dunning:hidden@/dunning?host={tmp_path}/nowhere"
    )
    assert done.returncode == 1
    assert "Look at DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hidden" not in done.stderr


def test_ctrl_c_exits_with_130(tmp_path: Path) -> None:
    """Interrupted while it waits for a server that took the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        url = f"postgresql://dunning@127.0.0.1:{silent.getsockname()[1]}/dunning"
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "migrate"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": url},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGINT)
                _, complaint = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in complaint


def test_starting_a_command_does_not_load_the_others(tmp_path: Path) -> None:
    """Finding a subcommand costs typer and the settings; the heavy libraries wait until they are used."""
    program = (
        "import sys, cli.commands\n"
        "heavy = {'stripe', 'sqlalchemy', 'jinja2', 'alembic', 'dramatiq', 'babel', 'rich', 'structlog'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_migrate_brings_a_database_up_to_date_once(tmp_path: Path, empty_database_url: str) -> None:
    """`--check` only tells that migrations wait, `migrate` runs them, and then there is no more to do."""
    env = {"DATABASE_URL": empty_database_url}
    waiting = forking.dunning("migrate", "--check", cwd=tmp_path, **env)
    assert waiting.returncode == 1
    assert "Migrations wait" in waiting.stderr
    assert "Migrated" in forking.dunning("migrate", cwd=tmp_path, **env).stdout
    again = forking.dunning("migrate", cwd=tmp_path, **env)
    assert (again.returncode, again.stdout) == (0, "The database is up to date.\n")
    assert forking.dunning("migrate", "--check", cwd=tmp_path, **env).returncode == 0
