"""What each number is, read from `definitions.toml` beside this file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final


class Unit(StrEnum):
    CASES = "cases"
    MONEY = "money"
    SHARE = "share"
    DAYS = "days"
    SUBSCRIPTIONS = "subscriptions"


@dataclass(frozen=True, slots=True)
class Definition:
    """`id` is what files refer to, `title` the number's name; `text` says what is in it and what is not."""

    id: str
    title: str
    unit: Unit
    text: str


def _read() -> dict[str, Definition]:
    tables = tomllib.loads((Path(__file__).with_suffix(".toml")).read_text(encoding="utf-8"))
    return {
        name: Definition(name, table["title"], Unit(table["unit"]), " ".join(table["text"].split()))
        for name, table in tables.items()
    }


DEFINITIONS: Final[Mapping[str, Definition]] = _read()
