"""Stripe's integers become the amounts people know, in their language."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from dunning.money import Money, format_date, format_date_time, format_money

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("minor", "currency", "amount"),
    [
        (1999, "usd", "19.99"),
        (1999, "EUR", "19.99"),
        (500, "jpy", "500"),
        (1234, "mga", "1234"),
        (12340, "kwd", "12.340"),
        (500, "isk", "5.00"),
        (50000, "ugx", "500.00"),
        (199900, "huf", "1999.00"),
        (199900, "twd", "1999.00"),
        (123, "xyz", "1.23"),
        (-250, "eur", "-2.50"),
        (0, "eur", "0.00"),
    ],
)
def test_amount_in_whole_units(minor: int, currency: str, amount: str) -> None:
    """The exponent is Stripe's, not ISO's."""
    assert Money(minor, currency).decimal() == Decimal(amount)


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "shown"),
    [
        (1999, "eur", "en", "€19.99"),
        (123456, "eur", "de", "1.234,56 €"),
        (1999, "eur", "ja", "€19.99"),
        (500, "jpy", "en", "¥500"),
        (500, "jpy", "de", "500 ¥"),
        (500, "jpy", "ja", "￥500"),
        (12340, "kwd", "en", "KWD 12.340"),
        (12340, "kwd", "de", "12,340 KWD"),
        (500, "isk", "en", "ISK 5"),
        (500, "isk", "de", "5 ISK"),
        (50000, "ugx", "en", "UGX 500"),
        (1234, "mga", "de", "1.234 MGA"),
        (199900, "huf", "en", "HUF 1,999.00"),
        (199900, "huf", "ja", "HUF 1,999.00"),
        (1050, "lak", "en", "LAK 10.50"),
        (123, "xyz", "en", "XYZ 1.23"),
        (1999, "usd", "en-GB", "US$19.99"),
        (1999, "usd", "tlh-Piqd", "$19.99"),
        (1999, "usd", "", "$19.99"),
    ],
)
def test_amount_as_people_write_it(minor: int, currency: str, locale: str, shown: str) -> None:
    """Usual decimals of the currency, no money rounded away, English for a locale nobody knows."""
    assert format_money(Money(minor, currency), locale).replace(NBSP, " ") == shown


LATE = datetime(2026, 11, 5, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("locale", "zone", "shown"),
    [
        ("en", "UTC", "November 5, 2026"),
        ("en", "Europe/Berlin", "November 6, 2026"),
        ("de", "Europe/Berlin", "6. November 2026"),
        ("ja", "Asia/Tokyo", "2026年11月6日"),
    ],
)
def test_the_day_is_the_readers_day(locale: str, zone: str, shown: str) -> None:
    """Half past eleven at night in London is already tomorrow in Berlin."""
    assert format_date(LATE, locale, ZoneInfo(zone)) == shown


@pytest.mark.parametrize(
    ("locale", "zone", "shown"),
    [
        ("en", "America/New_York", "November 5, 2026, 6:30 PM EST"),
        ("de", "Europe/Berlin", "6. November 2026, 00:30 MEZ"),
        ("de", "America/New_York", "5. November 2026, 18:30 GMT-05:00"),
        ("ja", "Asia/Tokyo", "2026年11月6日 8:30 JST"),
    ],
)
def test_a_time_names_its_zone(locale: str, zone: str, shown: str) -> None:
    """A deadline without a zone is a deadline nobody can keep."""
    assert format_date_time(LATE, locale, ZoneInfo(zone)).replace(NBSP, " ") == shown


def test_a_fixed_offset_is_a_zone_too() -> None:
    """Offsets without a name are written as such."""
    assert format_date_time(LATE, "de", timezone(timedelta(hours=2))).startswith("6. November 2026, 01:30")


def test_a_naive_moment_is_refused() -> None:
    """A naive datetime is refused rather than guessed."""
    with pytest.raises(ValueError, match="time zone"):
        format_date(datetime(2026, 11, 5), "en", UTC)  # noqa: DTZ001 - the naive one is the point
