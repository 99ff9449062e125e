"""What the calendars and formats of CLDR leave to whoever writes a sentence with a date in it."""

import re
from collections.abc import Mapping
from typing import Final

from babel import Locale

Rule = tuple[re.Pattern[str], str]

# "am 17." at the end of a line and "November" on the next is hard to read.
_DAY_AND_MONTH: Final[Rule] = (re.compile(r"^(\d{1,2}\S{0,2}) (?=\D)"), "\\1\N{NO-BREAK SPACE}")

# Languages written without spaces between sentences.
_WITHOUT_SPACES: Final = frozenset({"ja", "zh"})


def _at(word: str) -> Rule:
    """CLDR has this word in its "at time" patterns, which Babel does not carry."""
    return re.compile(r"(?<=\d{4}),? (?=\d)"), f" {word} "


def _first(ordinal: str) -> Rule:
    return re.compile(r"^1(?= )"), ordinal


_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "de": (_at("um"),),
    "en": (_at("at"),),
    "es": (_at("a las"), (re.compile(r" a las (?=1:)"), " a la ")),
    # CLDR says TU, which fewer people know than UTC.
    "fr": (_at("à"), _first("1er"), (re.compile(r" TU$"), " UTC")),
    # A particle follows the time at once; the zone between them would run into it.
    "ja": (
        (
            re.compile(r"(?<=:\d\d) (\S+)$"),
            "\N{FULLWIDTH LEFT PARENTHESIS}\\1\N{FULLWIDTH RIGHT PARENTHESIS}",
        ),
    ),
    "pt": (_at("às"), _first("1º")),
    # In Portugal the first of a month is a number like the others.
    "pt_PT": (_at("às"),),
}


def gap(locale: Locale) -> str:
    """What stands between two sentences: a space, or nothing in Japanese and Chinese."""
    return "" if locale.language in _WITHOUT_SPACES else " "


def in_a_sentence(moment: str, locale: Locale) -> str:
    """A date, with or without a time, as one writes it in running text: `1er novembre 2026 à 14:00 UTC`.

    A day that comes before its month stays with it on one line.
    """
    rules = _RULES.get(str(locale), _RULES.get(locale.language, ()))
    for pattern, replacement in (*rules, _DAY_AND_MONTH):
        moment = pattern.sub(replacement, moment)
    return moment
