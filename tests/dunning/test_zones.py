"""Whose clock counts for a customer."""

from collections.abc import Iterable

import pytest

from dunning.events import CustomerFact
from dunning.zonenames import zone, zone_of_country
from dunning.zones import zone_of
from tests.dunning.builders import account, charge, customer, failures

MERCHANT = "Europe/Vienna"


def zone_name(*facts: CustomerFact | Iterable[CustomerFact]) -> str:
    return zone_of(account(*facts), MERCHANT).key


@pytest.mark.parametrize(
    ("metadata", "country", "card_country", "found"),
    [
        ({}, None, None, MERCHANT),
        ({}, None, "JP", "Asia/Tokyo"),
        ({}, "DE", "JP", "Europe/Berlin"),
        ({}, "de", "JP", "Europe/Berlin"),
        ({}, "XX", "JP", "Asia/Tokyo"),
        ({}, "XX", "XX", MERCHANT),
        ({"timezone": "America/Denver"}, "DE", "JP", "America/Denver"),
        ({"time_zone": "America/Denver"}, "DE", "JP", "America/Denver"),
        ({"tz": "America/Denver"}, "DE", "JP", "America/Denver"),
        ({"tz": "America/Denver", "timezone": "Asia/Seoul"}, None, None, "Asia/Seoul"),
        ({"timezone": "Mars/Olympus", "tz": "Asia/Seoul"}, None, None, "Asia/Seoul"),
        ({"timezone": "Mars/Olympus"}, "DE", None, "Europe/Berlin"),
        ({"timezone": ""}, None, None, MERCHANT),
        ({"timezone": "../../etc/passwd"}, None, None, MERCHANT),
        ({"timezone": "Europe"}, None, None, MERCHANT),
    ],
)
def test_metadata_then_address_then_card_then_merchant(
    metadata: dict[str, str], country: str | None, card_country: str | None, found: str
) -> None:
    """Whatever is known best; nonsense in metadata is passed over."""
    told = customer(0, country=country, metadata=tuple(sorted(metadata.items())))
    assert zone_name(told, failures(0), charge(0, card_country=card_country)) == found


def test_the_card_that_was_charged_last_tells_its_country() -> None:
    """Who has moved has a new card."""
    moved = [charge(0, card_country="DE"), charge(3, card_country="JP"), charge(5, card_country=None)]
    assert zone_name(failures(0), moved) == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("country", "found"),
    [
        ("US", "America/New_York"),
        ("CA", "America/Toronto"),
        ("AU", "Australia/Sydney"),
        ("BR", "America/Sao_Paulo"),
        ("RU", "Europe/Moscow"),
        ("UA", "Europe/Kyiv"),
        ("ES", "Europe/Madrid"),
        ("PT", "Europe/Lisbon"),
        ("MX", "America/Mexico_City"),
        ("ID", "Asia/Jakarta"),
        ("NZ", "Pacific/Auckland"),
        ("CN", "Asia/Shanghai"),
        ("GB", "Europe/London"),
        ("IN", "Asia/Kolkata"),
    ],
)
def test_a_country_has_the_zone_of_most_of_its_people(country: str, found: str) -> None:
    """The table of IANA begins in the east: with Newfoundland, Lord Howe, Noronha and Kaliningrad."""
    name = zone_of_country(country)
    assert name is not None
    assert name.key == found


@pytest.mark.parametrize("country", [None, "", "XX", "Germany"])
def test_an_unknown_country_has_none(country: str | None) -> None:
    """The next best guess is asked."""
    assert zone_of_country(country) is None


def test_a_zone_without_a_name_is_none() -> None:
    """Nothing is not a zone."""
    assert zone(None) is None
    assert zone("UTC") is not None
