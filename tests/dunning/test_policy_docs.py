"""docs/policy.md tells every field, and the defaults it tells are the defaults."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from dunning.defaults import default_book
from dunning.ladders import Ladder, RetrySchedule
from dunning.policy import Policy
from dunning.policy_file import read_policy

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
TABLES: dict[str, type[Ladder] | type[RetrySchedule]] = {"[ladder]": Ladder, "[retry]": RetrySchedule}
# Told in tables of their own, or given by the settings.
APART = {"ladder", "retry", "time_zone"}


def rows() -> list[tuple[str, list[str], Any]]:
    """(heading of the table, names, value) of every row that gives a default."""
    found, heading = [], ""
    for line in TEXT.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or len(cells) < 2:
            heading = ""
        elif not heading:
            heading = cells[0].strip("`")
        elif quoted := re.match(r"`([^`]+)`", cells[1]):
            names = re.findall(r"`([a-z_]+)`", cells[0])
            if heading == "field" or heading in TABLES:
                found.append((heading, names, quoted[1]))
    return found


def test_every_default_is_told_as_it_is() -> None:
    """Of each field once, each line of the ladder, and each of the retries."""
    told: dict[str, dict[str, Any]] = {"field": {}, "[ladder]": {}, "[retry]": {}}
    for heading, names, value in rows():
        for name in names:
            if name not in APART:
                told[heading] |= tomllib.loads(f"{name} = {value}")
    assert set(told["field"]) == set(Policy.model_fields) - APART - {"key"}
    assert Policy.model_validate(told["field"]) == Policy()
    for heading, model in TABLES.items():
        assert set(told[heading]) == set(model.model_fields)
        assert model.model_validate(told[heading]) == model()


def test_the_example_can_be_read() -> None:
    """As it stands there."""
    example = re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert example
    assert [segment.name for segment in read_policy(example[1]).segments] == ["enterprise"]


def test_the_default_segments_are_told() -> None:
    """Each with its condition."""
    for segment in default_book(Policy()).segments:
        [(name, value)] = segment.match.model_dump(exclude_defaults=True).items()
        said = "true" if value is True else f'"{next(iter(value))}"'
        assert f"| `{segment.name}` | `{{ {name} = {said} }}` |" in TEXT
