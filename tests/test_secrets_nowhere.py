"""Real processes with secrets and addresses that can be recognised: none of them is anywhere to be read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
import redis
from sqlalchemy import make_url

from portal.links import Links
from tests.cli.forking import dunning
from tests.metrics.prometheus import until
from tests.metrics.test_scrape import BODIES, Process, Town
from tests.settings.examples import ALL
from tests.webhooks.stripe_calls import SECRET, event, signed

MARK = "zyxwmark"
LINK_SECRET = f"{MARK}-links-0123456789abcdef0123456789abcdef"
SECRETS = {
    "STRIPE_API_KEY": f"rk_test_{MARK}",
    "STRIPE_WEBHOOK_SECRETS": f"whsec_{MARK}",
    "SMTP_URL": f"smtp://user:{MARK}-mail@127.0.0.1:9",
    "DUNNING_API_KEYS": f"{MARK}-key-0123456789abcdef",
    "DUNNING_LINK_SECRETS": LINK_SECRET,
    "DUNNING_TEAM_WEBHOOK_URL": f"https://hooks.acme.example/{MARK}/XXXX",
}
ADA = f"ada@{MARK}.example"


@contextmanager
def monitored(url: str) -> Iterator[list[str]]:
    """Every command that Redis is given meanwhile, as it says itself."""
    heard: list[str] = []

    def listen() -> None:
        with client.monitor() as monitor:
            began.set()
            for each in monitor.listen():
                heard.append(str(each))
                if MARK + "-over" in str(each):
                    return

    began = threading.Event()
    with redis.Redis.from_url(url) as client:
        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        began.wait(5)
        yield heard
        said = len(heard)
        client.echo(f"{MARK}-over")
        thread.join(5)
        heard.pop()
        assert said


def process_list() -> str:
    """How everything on this machine was called, which each of its users may read."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            lines.append(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return "\n".join(lines)


@pytest.fixture
def marked_url(database_url: str) -> str:
    """The same database with a password, for which this server does not ask."""
    return make_url(database_url).set(password=f"{MARK}-db").render_as_string(hide_password=False)


def test_no_secret_and_no_address_is_anywhere(marked_url: str, redis_url: str, tmp_path: Path) -> None:
    """Neither in logs nor in Redis, in answers, pages, metrics, the process list, nor in commands' words."""
    env = ALL | SECRETS | {"DATABASE_URL": marked_url, "REDIS_URL": redis_url}
    token = Links([LINK_SECRET]).mint().token
    said: dict[str, str] = {}
    with monitored(redis_url) as commands:
        town = Town(marked_url, redis_url, tmp_path, **SECRETS)
        town.processes["portal"] = Process(
            "portal", "--port", "0", env=env | {"DUNNING_METRICS_PORT": "0"}, folder=tmp_path
        )
        try:
            town.start_scheduler()
            seen = json.loads((BODIES / "customer_updated.endive.json").read_text())
            seen["data"]["object"] |= {"email": ADA, "name": f"Ada {MARK}"}
            bodies = [json.dumps(seen).encode(), event("evt_1", data={"object": {"id": ADA, "name": MARK}})]
            for body in bodies:
                said["stored"] = town.receiver.post(body, signed(body)).text
            said["refused"] = town.receiver.post(bodies[0], signed(bodies[0], f"whsec_{MARK}-other")).text
            until(lambda: town.count("SELECT count(*) FROM inbox WHERE status IN ('done', 'dead')") == 2)
            for name, port in town.ports.items():
                said[f"metrics of {name}"] = httpx.get(
                    f"http://127.0.0.1:{port}/metrics", trust_env=False
                ).text
            api, portal = (town.listens(name) for name in ("api", "portal"))
            for key in (SECRETS["DUNNING_API_KEYS"], f"dk_{MARK}"):
                headers = {"authorization": f"Bearer {key}"}
                answer = httpx.get(f"{api}/v1/access/cus_1", headers=headers, trust_env=False)
                said[f"the API's {answer.status_code}"] = answer.text + str(answer.headers)
            page = httpx.get(f"{portal}/p/{token}", trust_env=False)
            said["the page"] = page.text + str(page.headers)
            said["the process list"] = process_list()
        finally:
            town.stop()
        for command in ("status", "doctor"):
            done = dunning(command, cwd=tmp_path, **env)
            said[f"dunning {command}"] = done.stdout + done.stderr
    said |= {log.name: log.read_text() for log in tmp_path.glob("*.log")}
    said["receiver.log"] = json.dumps(town.receiver.log)
    said["Redis"] = "\n".join(commands)
    # Controls: something was said by everybody.
    assert "event.applied" in said["worker.log"]
    assert "events" in said["Redis"]
    assert "pytest" in said["the process list"]
    assert {"the API's 401", "the API's 404"} <= said.keys()
    found = {
        place: text
        for place, text in said.items()
        for secret in (MARK, SECRET, token)
        # Whoever opens a page has its link already.
        if secret.lower() in text.lower() and (place, secret) != ("the page", token)
    }
    assert found == {}
