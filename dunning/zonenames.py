"""Time zones by their IANA names and by country."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Where zone.tab, which goes from east to west there, begins with an island or another small part.
_MOST_PEOPLE = {
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
}


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
    """IANA's zone.tab lists a country's zones with the most populous first, where geography allows."""
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for line in table.splitlines():
        if line and not line.startswith("#"):
            country, _, name = line.split("\t")[:3]
            found.setdefault(country, name)
    return found | _MOST_PEOPLE
