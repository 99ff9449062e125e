"""A real Prometheus with our rules, looking at processes of the test."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from metrics.docs import ROOT
from sandbox.programs import free_port

DEADLINE = 30.0  # seconds to wait for anything before a test fails


@dataclass(frozen=True)
class Prometheus:
    """One that runs."""

    url: str

    def ask(self, expression: str) -> dict[str, float]:
        """The present value of an expression, by the values of its labels but for those of the target."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, trust_env=False)
        hidden = ("__name__", "instance", "job")
        return {
            " ".join(text for name, text in sorted(each["metric"].items()) if name not in hidden): float(
                each["value"][1]
            )
            for each in answer.raise_for_status().json()["data"]["result"]
        }

    def alerts(self) -> dict[str, str]:
        """What is wrong by our rules: pending, or firing if it lasts."""
        answer = httpx.get(f"{self.url}/api/v1/alerts", trust_env=False).raise_for_status()
        return {each["labels"]["alertname"]: each["state"] for each in answer.json()["data"]["alerts"]}

    def ready(self) -> bool:
        """Whether it can be asked."""
        try:
            return httpx.get(f"{self.url}/-/ready", trust_env=False).is_success
        except httpx.TransportError:
            return False


@contextmanager
def prometheus(folder: Path, targets: Mapping[str, int]) -> Iterator[Prometheus]:
    """Scrape these ports of this machine, named as they are, twice a second, and judge them as often."""
    configuration: dict[str, Any] = {
        "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms", "scrape_timeout": "500ms"},
        "rule_files": [str(ROOT / "ops" / "prometheus" / "rules.yml")],
        "scrape_configs": [
            {
                "job_name": "dunning",
                "static_configs": [
                    {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": name}}
                    for name, port in targets.items()
                ],
            }
        ],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    command = [
        "prometheus",
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address={address}",
        "--log.level=error",
    ]
    with (folder / "prometheus.log").open("w") as log:
        program = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        running = Prometheus(f"http://{address}")
        until(lambda: running.ready() or program.poll() is not None)
        assert program.poll() is None, (folder / "prometheus.log").read_text()
        yield running
    finally:
        program.kill()
        program.wait()


def until(condition: Any) -> None:
    """Return when it holds, or fail."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
