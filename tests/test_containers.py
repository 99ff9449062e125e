"""docker-compose.yml, the Dockerfile and the wheel agree with the code they start."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.registry import BY_NAME
from settings import WorkerSettings
from settings.docs import READERS
from settings.field import Settings
from settings.loading import fields_by_name, known_names, load
from tests.test_rooms import ROOMS
from worker.queues import WAKEUPS

ROOT = Path(__file__).resolve().parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("image") == "dunning-worker"}

FILLED = {
    "STRIPE_API_KEY": "sk_live_0123",
    "STRIPE_WEBHOOK_SECRETS": "whsec_0123",
    "DUNNING_MAIL_FROM": "billing@acme.example",
    "DUNNING_BRAND_NAME": "Acme",
    "DUNNING_BRAND_SUPPORT_EMAIL": "support@acme.example",
    "DUNNING_BILLING_PAGE_URL": "https://acme.example/billing",
    "DUNNING_API_KEYS": "0123456789abcdef",
    "DUNNING_PORTAL_URL": "https://pay.acme.example",
    "DUNNING_LINK_SECRETS": "0123456789abcdef0123456789abcdef",
}
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def settings_of(service: dict[str, Any]) -> type[Settings]:
    """The settings class of the process a service runs."""
    return READERS.get(service["command"][0], READERS["commands"])


def environment(service: dict[str, Any]) -> dict[str, str]:
    """The service's environment with .env filled in where the file says it must be, defaults elsewhere."""

    def value(match: re.Match[str]) -> str:
        name, kind, default = match.groups()
        return FILLED[name] if kind == "?" else FILLED.get(name, default or "")

    given = {
        name: FILLED.get(name, "") if text is None else str(text)
        for name, text in service["environment"].items()
    }
    return {name: VARIABLE.sub(value, text) for name, text in given.items()}


@pytest.mark.parametrize("name", OURS)
def test_each_service_runs_a_command_with_exactly_its_settings(name: str) -> None:
    """The command exists, the process starts on its settings, and is given none it does not read."""
    service = OURS[name]
    assert service["command"][0] in BY_NAME
    assert set(service["environment"]) <= set(fields_by_name(settings_of(service)))
    assert load(settings_of(service), env=environment(service), env_file=None)


def test_every_setting_can_be_set_in_a_container() -> None:
    """What docs/settings.md offers reaches some service, but for Stripe's address, which is for tests."""
    passed_on = {name for service in OURS.values() for name in service["environment"]}
    assert known_names() - passed_on == {"STRIPE_API_BASE"}


def test_only_the_worker_holds_stripes_key() -> None:
    """The receiver faces the internet and must not hold what it does not need."""
    holders = {name for name, service in OURS.items() if "STRIPE_API_KEY" in service["environment"]}
    assert holders == {"worker-events", "worker-mail"}


def test_the_workers_serve_every_queue_once() -> None:
    """Two workers share the queues between them, and a worker on its own serves all."""
    queues = [
        queue
        for name in ("worker-events", "worker-mail")
        for queue in OURS[name]["environment"]["DUNNING_WORKER_QUEUES"].split(",")
    ]
    assert sorted(queues) == sorted(wakeup.queue for wakeup in WAKEUPS)
    assert sorted(fields_by_name(WorkerSettings)["DUNNING_WORKER_QUEUES"].default.split(",")) == sorted(
        queues
    )


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_survives_and_waits_for_what_it_needs(name: str) -> None:
    """Restarted unless it is the one-shot migration; every condition can come true."""
    service = SERVICES[name]
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    for other, wanted in service.get("depends_on", {}).items():
        if wanted["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert (other, wanted["condition"]) == ("migrate", "service_completed_successfully")


def test_our_services_are_confined() -> None:
    """A reaper for children, no capabilities, no writable root, time to finish."""
    for service in OURS.values():
        assert service["init"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert service["stop_grace_period"] == "30s"


def test_redis_keeps_its_queues() -> None:
    """An append-only file, and no eviction."""
    command = SERVICES["redis"]["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_nothing_listens_beyond_this_machine() -> None:
    """Every published port is bound to loopback."""
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_image_sets_only_settings_that_exist() -> None:
    """DUNNING_ names in the Dockerfile are real ones, and the process is not root's."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"DUNNING_[A-Z_]+", text)) <= known_names()
    assert text.index("\nUSER 10001") < text.index("\nENTRYPOINT")


LOCKS = [*ROOT.glob("*.lock"), *ROOT.glob(".ci/*.lock")]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_everything_is_installed_by_its_hash(lock: Path) -> None:
    """Each pin has hashes and nothing else beside it: no address, no option, no pin without."""
    lines = [line for line in lock.read_text("utf-8").splitlines() if not line.startswith("#")]
    text = "\n".join(lines) + "\n"
    pin = r"[a-z0-9-]+==[A-Za-z0-9.+]+( \\\n    --hash=sha256:[0-9a-f]{64})+\n"
    assert re.fullmatch(f"({pin})+", text)
    for name in ("run", "Dockerfile", "docs/production.md"):
        commands = (ROOT / name).read_text("utf-8").replace("\\\n", " ").splitlines()
        installs = [each for each in commands if re.search(r"pip [^|]*\binstall -|pip_into_venv -", each)]
        assert installs
        # What has no dependencies of its own in that moment is ourselves.
        assert [each for each in installs if not re.search("--require-hashes|--no-deps", each)] == []


def test_the_builder_gets_every_room_and_no_secrets() -> None:
    """Whatever is not named stays outside, as `.env` and the history do; a room must be."""
    first, *lines = [
        line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")
    ]
    named = {line[1:] for line in lines if line.startswith("!")}
    assert first == "*"
    assert named >= ROOMS | {"requirements.lock", "pyproject.toml"}
    assert not named & {".env", ".git", "tests", "."}


def test_the_wheel_holds_every_file_of_every_room(tmp_path: Path) -> None:
    """Templates, translations and migrations are installed too, not only found in a checkout."""
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for room in ROOMS:
        if (ROOT / room).is_dir():
            shutil.copytree(ROOT / room, source / room, ignore=ignored)
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    (source / "README.md").touch()
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-qq",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            tmp_path,
            source,
        ],
        check=True,
        timeout=100,
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    files = [path for room in ROOMS for path in (source / room).rglob("*") if path.is_file()]
    wanted = {str(path.relative_to(source)) for path in files}
    assert wanted - packed == set()
