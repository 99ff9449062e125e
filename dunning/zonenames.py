"""Time zones by their IANA names and by country."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@cache
def zone(name: str | None) -> ZoneInfo | None:
    """The IANA zone of that name, or None where there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@cache
def zone_of_country(country: str | None) -> ZoneInfo | None:
    """The zone in which most people of a country (ISO 3166, two letters) live."""
    return zone(_most_populous().get((country or "").upper()))


@cache
def _most_populous() -> dict[str, str]:
    """IANA's zone.tab lists a country's zones with the most populous first."""
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for line in table.splitlines():
        if line and not line.startswith("#"):
            country, _, name = line.split("\t")[:3]
            found.setdefault(country, name)
    return found
