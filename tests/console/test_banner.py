"""The sentences an application shows, and which language they are in."""

from datetime import UTC, datetime, timedelta
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

from console import banner as words
from console.banner import TRANSLATIONS, banner
from console.language import choose, wanted
from dunning.access import Level, Reason

NOW = datetime(2026, 1, 10, 9, tzinfo=UTC)
MESSAGES = sorted(value for name, value in vars(words).items() if name.isupper() and isinstance(value, str))


def text(level: Level, reason: Reason, until: datetime | None = None, *tags: str) -> str | None:
    """The banner in UTC at NOW."""
    return banner(level, reason, until, now=NOW, tags=tags, zone=UTC)


def test_full_access_has_no_banner() -> None:
    """Whatever the reason is: a trial or a cancellation is no news."""
    assert {text(Level.FULL, reason) for reason in Reason} == {None}


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("level", [Level.WARNED, Level.LIMITED, Level.REVOKED])
def test_everything_less_has_one_in_every_language(level: Level, reason: Reason) -> None:
    """And no two languages share it."""
    said = [text(level, reason, NOW + timedelta(days=3), language) for language in TRANSLATIONS]
    assert all(said)
    assert len(set(said)) == len(TRANSLATIONS)
    assert not any("{" in one for one in said if one)


def test_the_deadline_is_shown_while_it_lies_ahead() -> None:
    """Access that outlives its date was kept on purpose; a date in the past would only puzzle."""
    assert "January 13, 2026" in str(text(Level.WARNED, Reason.PAYMENT_FAILED, NOW + timedelta(days=3)))
    for passed in (NOW, NOW - timedelta(days=1), None):
        said = str(text(Level.WARNED, Reason.PAYMENT_FAILED, passed))
        assert "payment failed" in said
        assert "until" not in said


def test_the_date_is_the_reader_s() -> None:
    """In the given zone, with the region's own words."""
    until = datetime(2026, 1, 13, 23, 30, tzinfo=UTC)
    said = banner("warned", "payment_failed", until, now=NOW, tags=["de-AT"], zone=ZoneInfo("Europe/Vienna"))
    assert "14. Jänner 2026, 00:30" in str(said)


def test_every_message_is_translated_with_the_same_fields() -> None:
    """A language that lacks a sentence, or the date in it, is caught here."""
    for language, table in TRANSLATIONS.items():
        if language != words.SOURCE_LANGUAGE:
            assert set(table) == set(MESSAGES) - {words.SOURCE_LANGUAGE}
        for english, translated in table.items():
            assert _fields(english) == _fields(translated)


def _fields(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name}


def test_no_banner_gives_a_reason_of_the_bank() -> None:
    """Colleagues of the person who pays may see it."""
    forbidden = (
        "stolen",
        "lost",
        "fraud",
        "funds",
        "expired",
        "gestohlen",
        "Betrug",
        "Deckung",
        "abgelaufen",
    )
    every = [*MESSAGES, *(one for table in TRANSLATIONS.values() for one in table.values())]
    assert not [one for one in every if any(word in one for word in forbidden)]


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("", []),
        ("*", []),
        ("de", ["de"]),
        ("en;q=0.1, de-AT, fr;q=0.9", ["de-AT", "fr", "en"]),
        ("de;q=0, en", ["en"]),
        ("de; q=0.5 , en;q=1", ["en", "de"]),
        ("de;q=x, en;q=0.1", ["en"]),
        ("de;level=1", ["de"]),
        (",,;q=1, ;", []),
        ("de;q=nan, en;q=9", ["en"]),
    ],
)
def test_accept_language_is_read(header: str, tags: list[str]) -> None:
    """By weight, then by place; what cannot be read or is refused is left out."""
    assert wanted(header) == tags


def test_a_long_header_is_not_read_to_its_end() -> None:
    """Ten thousand languages are nobody's wish."""
    assert len(wanted(",".join(["de"] * 10_000))) == 20


@pytest.mark.parametrize(
    ("tags", "chosen"),
    [
        (["de-AT"], ("de", "de_AT")),
        (["DE_at"], ("de", "de_AT")),
        (["de-ZZ"], ("de", "de_DE")),
        (["de-@@"], ("de", "de")),
        (["fr", "en-GB"], ("en", "en_GB")),
        (["fr"], None),
        ([""], None),
        ([], None),
    ],
)
def test_the_first_language_we_speak_is_chosen(tags: list[str], chosen: tuple[str, str] | None) -> None:
    """With the region kept where it exists, or the one most speakers live in."""
    assert choose(tags, ("en", "de")) == chosen
