"""`dunning portal` in a process of its own, and what a browser would ask it over real HTTP."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from typing import Any

import httpx

from tests.console.process import DEADLINE, ROOT, wait_until

SECRET = "a-secret-of-the-tests-which-is-long-enough"
BOUND = re.compile(r'name="bound" value="([^"]+)"')


class PortalProcess:
    """One running portal, its log lines, and a browser without JavaScript."""

    def __init__(self, database_url: str, redis_url: str, port: int = 0, **settings: str) -> None:
        """Start it and wait until it says where it listens."""
        self.lines: list[str] = []
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "DUNNING_LIVEMODE": "false",
            "DUNNING_PORTAL_URL": "https://pay.merchant.example",
            "DUNNING_LINK_SECRETS": SECRET,
            "DUNNING_BRAND_NAME": "Northwind",
            "DUNNING_BRAND_SUPPORT_EMAIL": "help@northwind.example",
            "DUNNING_BRAND_LOGO_URL": "https://northwind.example/logo.png",
            "DUNNING_BILLING_PAGE_URL": "https://northwind.example/billing",
            "DUNNING_LOG_FORMAT": "json",
            **settings,
        }
        command = [sys.executable, "-m", "cli", "portal", "--port", str(port)]
        self.popen = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_until(lambda: bool(self.said("portal.started")) or self.popen.poll() is not None, "a start")
        assert self.said("portal.started"), self.lines
        port = self.said("portal.started")[0]["port"]
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"accept-language": "en"},
            timeout=DEADLINE,
            trust_env=False,
        )

    def get(self, token: str, **headers: str) -> httpx.Response:
        """The page of a link."""
        return self.client.get(f"/p/{token}", headers={k.replace("_", "-"): v for k, v in headers.items()})

    def submit(self, token: str, action: str, *, bound: str | None = None, **fields: str) -> httpx.Response:
        """Open the page of a link and send one of its forms."""
        if bound is None:
            found = BOUND.search(self.get(token).text)
            assert found
            bound = found[1]
        return self.client.post(f"/p/{token}/{action}", data={"bound": bound, **fields})

    def said(self, event: str) -> list[dict[str, Any]]:
        """The log lines of this event so far."""
        parsed = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [line for line in parsed if line["event"] == event]

    def stop(self) -> int:
        """Ask it to stop; its exit code once it has, and all of its log is read."""
        self.client.close()
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        code = self.popen.wait(DEADLINE)
        self._reader.join(DEADLINE)
        return code

    def _read(self) -> None:
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            self.lines.append(line)
