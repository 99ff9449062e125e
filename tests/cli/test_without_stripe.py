"""An installation that has nothing to do with Stripe: nobody asks for its keys, and nothing waits for it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx

from tests.cli.forking import dunning
from tests.providers.commet_events import SECRET, dumped, event, signed
from tests.sandbox.machine import until
from tests.settings.examples import ALL
from tests.worker.process import process

COMMET = {"STRIPE_API_KEY": "", "STRIPE_WEBHOOK_SECRETS": "", "COMMET_WEBHOOK_SECRETS": SECRET}


def test_commet_alone_is_enough_for_every_process(database_url: str, redis_url: str, tmp_path: Path) -> None:
    """From its event to an answer that needs no source; the doctor misses nothing, and nobody reconciles."""
    env = ALL | COMMET | {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    with ExitStack() as stack:
        ports = {"DUNNING_RECEIVER_PORT": "0", "DUNNING_PORTAL_PORT": "0"}
        running = {
            name: stack.enter_context(process(name, tmp_path, database_url, redis_url, **COMMET, **ports))
            for name in ("receiver", "worker", "scheduler", "portal")
        }
        port = running["receiver"].until("receiver.started")["port"]
        for kind in ("customer.created", "subscription.activated", "invoice.created", "payment.failed"):
            body = dumped(event(kind, datetime.now(UTC)))
            url = f"http://127.0.0.1:{port}/webhooks/commet"
            assert httpx.post(url, content=body, headers=signed(body), trust_env=False).status_code == 200
        until(lambda: len(running["worker"].said("event.applied")) == 4, 20, "all events are applied")
        said = json.loads(dunning("access", "user_123", "--json", cwd=tmp_path, **env).stdout)
        assert (said["level"], said["reason"]) == ("warned", "payment_failed")
        for name, each in running.items():
            each.until(f"{name}.started")
            assert each.stop()[0] == 0, name
    looked = dunning(
        "doctor", "--only", "systems", "--only", "stripe", "--only", "habits", "--json", cwd=tmp_path, **env
    )
    assert [each["said"] for each in json.loads(looked.stdout)["findings"]] == [
        "complete for receiver, worker, scheduler, api, portal",
        "customers are of commet",
    ]
    listed = dunning("reconcile", "--list", "--json", cwd=tmp_path, **env)
    assert (listed.returncode, "No billing system can be asked" in listed.stderr) == (1, True)
    refused = dunning("import", "stripe", "--dry-run", cwd=tmp_path, **env)
    assert (refused.returncode, "Stripe cannot be asked" in refused.stderr) == (1, True)
