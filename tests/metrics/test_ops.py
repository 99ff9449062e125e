"""The alert rules, the dashboard and the handbook fit each other, the code, and Prometheus' own tools."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from metrics.docs import EVERY, ROOT, markdown

OPS = ROOT / "ops"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((OPS / "prometheus" / "rules.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES}
DASHBOARD: dict[str, Any] = json.loads((OPS / "grafana/dashboards/dunning.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
HANDBOOK = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
TESTS = sorted((OPS / "prometheus" / "tests").glob("*.yml"))

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="needs promtool, which Debian's package prometheus has"
)
NAME = re.compile(r"\bdunning_[a-z_]+")
LABELS = re.compile(r"(\bdunning_[a-z_]+)\{([^}]*)\}")


def samples() -> dict[str, set[str]]:
    """The name of everything that Prometheus keeps of our metrics, with its labels."""
    found = {}
    for family in EVERY:
        names = [family.name]
        if family.kind == "histogram":
            names = [f"{family.name}_{part}" for part in ("bucket", "count", "sum")]
        for name in names:
            found[name] = {*family.labels, *(["le"] if name.endswith("_bucket") else [])}
    return found


def expressions() -> list[tuple[str, str]]:
    """Every PromQL expression of ours, with where it stands."""
    rules = [(rule["alert"], rule["expr"]) for rule in RULES]
    panels = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
    return rules + panels


def promtool(*arguments: str | Path) -> None:
    """Run it; its own words when it finds fault."""
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_promtool_finds_no_fault_with_rules_and_configuration() -> None:
    """Nor with the expressions of the dashboard, which it reads as rules."""
    promtool("check", "rules", OPS / "prometheus" / "rules.yml")
    promtool("check", "config", OPS / "prometheus" / "prometheus.yml")


@needs_promtool
def test_promtool_can_read_every_panel(tmp_path: Path) -> None:
    """Each expression of the dashboard is PromQL."""
    rules = [
        {"record": f"panel:{number}", "expr": expression}
        for number, (_, expression) in enumerate(expressions())
    ]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", "--lint=none", tmp_path / "panels.yml")


@needs_promtool
def test_each_alert_fires_when_it_should_and_only_then() -> None:
    """Prometheus' own unit tests of the rules."""
    promtool("test", "rules", *TESTS)


def test_each_alert_has_been_seen_to_fire_and_to_keep_still() -> None:
    """Both are asked for in the unit tests of every rule."""
    fires, quiet = set(), set()
    for path in TESTS:
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            for asked in test["promql_expr_test"]:
                names = re.findall(r'alertname="(\w+)"', asked["expr"])
                (fires if asked.get("exp_samples") else quiet).update(names)
    assert fires == quiet == set(ALERTS)


def test_each_metric_that_is_asked_for_exists_with_its_labels() -> None:
    """A misspelt name would make an alert that never fires."""
    known = samples()
    for place, expression in expressions():
        for name in NAME.findall(expression):
            assert name in known, f"{place}: {name}"
        for name, matchers in LABELS.findall(expression):
            asked = set(re.findall(r"(\w+)\s*[=!]", matchers))
            assert asked <= known[name], f"{place}: {name} has no label {asked - known[name]}"


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_says_what_is_wrong_and_where_to_read_on(alert: str) -> None:
    """A summary, a description, a severity, and its section of the handbook with what people need."""
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"].endswith(".")
    assert rule["annotations"]["runbook_url"] == f"docs/alerts.md#{alert.lower()}"
    section = HANDBOOK.partition(f"\n## {alert}\n")[2].partition("\n## ")[0].partition("\n# ")[0]
    assert section.lstrip().startswith(f"*{rule['labels']['severity']}.*")
    assert "\nLook first:" in section
    assert "\nDo:" in section


def test_the_handbook_knows_no_other_alerts() -> None:
    """An alert that is gone takes its section along."""
    assert set(re.findall(r"^## (\w+)$", HANDBOOK, re.MULTILINE)) == set(ALERTS)


def test_the_handbook_names_commands_that_exist() -> None:
    """What is to be typed at night works."""
    from cli.registry import BY_NAME

    commands = set(re.findall(r"\bdunning ([a-z]+)", HANDBOOK))
    assert commands <= set(BY_NAME), commands - set(BY_NAME)


def test_the_page_of_metrics_is_current() -> None:
    """Whoever changes a metric writes it anew."""
    assert (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8") == markdown(), (
        "run `python -m metrics.docs`"
    )


def test_no_label_could_hold_an_id() -> None:
    """Labels are few and their names say that codes are meant."""
    labels = {label for family in EVERY for label in family.labels}
    assert labels == {
        "access", "category", "channel", "currency", "endpoint", "kind", "level", "mail", "outcome", "queue",
        "reason", "side", "source", "state", "status", "type", "why",
    }  # fmt: skip


def test_the_dashboard_fits_on_its_grid() -> None:
    """No two panels overlap, and none is wider than the screen."""
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
