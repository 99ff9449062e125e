"""What a look at one thing finds: how bad it is, what may come of it, and how it is put right."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """`FAULT`: something does not work, or will cost money or trust. `RISK`: it may. `NOTE`: worth knowing,
    or to be looked at by a person. `GOOD`: looked at, and as it should be."""

    FAULT = "fault"
    RISK = "risk"
    NOTE = "note"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Finding:
    """`area` is what was looked at ("Redis"); what is good has neither risk nor cure."""

    level: Level
    area: str
    said: str
    risk: str = ""
    cure: str = ""


def good(area: str, said: str) -> Finding:
    return Finding(Level.GOOD, area, said)


def note(area: str, said: str, risk: str, cure: str) -> Finding:
    return Finding(Level.NOTE, area, said, risk, cure)


def risk(area: str, said: str, what: str, cure: str) -> Finding:
    return Finding(Level.RISK, area, said, what, cure)


def fault(area: str, said: str, what: str, cure: str) -> Finding:
    return Finding(Level.FAULT, area, said, what, cure)
