"""`dunning reconcile` against a simulated Stripe."""

import json
from pathlib import Path

from sandbox.inbox import Inbox
from tests.cli.forking import dunning
from tests.console.worlds import world_on
from tests.scenarios.story import subscriber


def test_what_was_missed_is_told_and_taken_in(database_url: str, inbox: Inbox, tmp_path: Path) -> None:
    """By type; a second look finds nothing."""
    with world_on(database_url, inbox) as world:
        story = subscriber(world, "expired_card")
        engine = world.stripe.engine
        engine.advance(engine.refresh(story.clock), story.renewal)
        env = {
            "DATABASE_URL": database_url,
            "STRIPE_API_KEY": world.stripe.api_key,
            "STRIPE_API_BASE": world.stripe.url,
            "DUNNING_LIVEMODE": "false",
        }
        since = ("--since", "2026-01-01")
        tried = dunning("reconcile", *since, "--dry-run", cwd=tmp_path, **env)
        assert (tried.returncode, "Nothing was written." in tried.stdout) == (0, True), tried.stderr
        assert "invoice.payment_failed" in tried.stdout
        said = json.loads(dunning("reconcile", *since, "--json", cwd=tmp_path, **env).stdout)
        assert said["missed"]["invoice.payment_failed"] == 1
        again = dunning("reconcile", *since, cwd=tmp_path, **env)
        assert ", 0 of them never heard of." in again.stdout
        wrong = dunning("reconcile", cwd=tmp_path, **env | {"STRIPE_API_KEY": "sk_test_wrong"})
        assert (wrong.returncode, "Stripe cannot be asked" in wrong.stderr) == (1, True)
