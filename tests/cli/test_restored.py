"""`dunning restored`: when the backup was taken is read from the database, and nothing may be running."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.inbox import Inbox
from tests.cli.forking import dunning
from tests.console.worlds import world_on
from tests.scenarios.story import subscriber
from tests.worker.reconciling import execute
from worker.queues import MAIL

LIFE = "INSERT INTO heartbeats (process, kind, beat_at) VALUES ('worker-1', 'worker', now() - interval '{}')"


def test_a_backup_is_marked_before_anything_is_started(
    database_url: str, inbox: Inbox, tmp_path: Path
) -> None:
    """The newest sign of life is when it was taken; what waited then is listed."""

    def ask(*arguments: str) -> tuple[int, str]:
        done = dunning("restored", *arguments, cwd=tmp_path, DATABASE_URL=database_url)
        return done.returncode, done.stdout + done.stderr

    with world_on(database_url, inbox) as world:
        assert ask("mark")[0] == 1, "an empty database is no backup"
        story = subscriber(world, "expired_card", wall=True)
        world.stripe.engine.advance(None, story.renewal)
        world.now, world.held = story.renewal, {MAIL}
        world.settle()
        for table, column in (("journal", "recorded_at"), ("inbox", "received_at")):
            execute(world, f"UPDATE {table} SET {column} = now() - interval '3 hours'")  # noqa: S608  # constants
        execute(world, LIFE.format("5 seconds"))
        assert "are running" in ask("mark")[1]
        execute(world, "DELETE FROM heartbeats")
        execute(world, LIFE.format("2 hours"))
        assert ask("list") == (0, "Nothing is doubtful.\n")
        tried = json.loads(ask("mark", "--dry-run", "--json")[1])
        assert (tried["doubtful"], tried["dry_run"]) == (1, True)
        taken = datetime.fromisoformat(tried["backup_taken"])
        assert abs(datetime.now(UTC) - timedelta(hours=2) - taken) < timedelta(minutes=1)
        assert ask("list")[0] == 0
        assert "1 mails and charges waited" in ask("mark", "--by", "maria")[1]
        code, listed = ask("list")
        assert (code, story.customer.id in listed) == (1, True)
        assert ask("mark", "--backup-taken", "2090-01-01T00:00")[0] == 1
