"""Dates and sentences as each language sets them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from emails.context import Reader
from language.typography import gap

FULLWIDTH_JST = "\N{FULLWIDTH LEFT PARENTHESIS}JST\N{FULLWIDTH RIGHT PARENTHESIS}"
FIRST = datetime(2026, 11, 1, 13, 0, tzinfo=UTC)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("locale", "zone", "date", "date_time"),
    [
        ("en", "UTC", "November 1, 2026", "November 1, 2026 at 1:00\N{NO-BREAK SPACE}PM UTC"),
        ("en-GB", "Europe/London", "1 November 2026", "1 November 2026 at 13:00 GMT"),
        ("de", "Europe/Berlin", "1. November 2026", "1. November 2026 um 14:00 MEZ"),
        ("fr", "Europe/Paris", "1er novembre 2026", "1er novembre 2026 à 14:00 UTC+01:00"),
        ("fr", "UTC", "1er novembre 2026", "1er novembre 2026 à 13:00 UTC"),
        ("fr-CA", "America/Toronto", "1er novembre 2026", "1er novembre 2026 à 08 h 00 HNE"),
        ("es", "Europe/Madrid", "1 de noviembre de 2026", "1 de noviembre de 2026 a las 14:00 CET"),
        ("es", "Etc/GMT+12", "1 de noviembre de 2026", "1 de noviembre de 2026 a la 1:00 GMT-12:00"),
        ("pt", "America/Sao_Paulo", "1º de novembro de 2026", "1º de novembro de 2026 às 10:00 BRT"),
        ("pt-BR", "America/Sao_Paulo", "1º de novembro de 2026", "1º de novembro de 2026 às 10:00 BRT"),
        ("pt-PT", "Europe/Lisbon", "1 de novembro de 2026", "1 de novembro de 2026 às 13:00 WET"),
        ("ja", "Asia/Tokyo", "2026年11月1日", f"2026年11月1日 22:00{FULLWIDTH_JST}"),
    ],
)
def test_a_moment_stands_in_a_sentence(locale: str, zone: str, date: str, date_time: str) -> None:
    """The first of a month and the word before the time, where CLDR's long form is not what one writes."""
    shown = Reader(locale, ZoneInfo(zone)).moment(FIRST)
    assert (plain(shown.date), plain(shown.date_time)) == (date, plain(date_time))


@pytest.mark.parametrize(("day", "shown"), [(2, "2 novembre 2026"), (11, "11 novembre 2026")])
def test_only_the_first_is_an_ordinal(day: int, shown: str) -> None:
    """The second and the eleventh are numbers in French too."""
    assert plain(Reader("fr", UTC).moment(FIRST.replace(day=day)).date) == shown


@pytest.mark.parametrize(
    ("locale", "start"),
    [
        ("de", "1.~November 2026"),
        ("fr", "1er~novembre"),
        ("pt", "1º~de"),
        ("en", "November 1, "),
        ("ja", "2026年"),
    ],
)
def test_a_day_and_its_month_stay_on_one_line(locale: str, start: str) -> None:
    """A no-break space (~ here) between them, and nowhere else."""
    date = Reader(locale, UTC).moment(FIRST).date
    assert date.replace("\N{NO-BREAK SPACE}", "~").startswith(start)


def test_japanese_sentences_follow_one_another_without_a_space() -> None:
    """Every other language of ours has one."""
    assert [gap(Locale.parse(tag)) for tag in ("ja", "en", "fr")] == ["", " ", " "]
