"""What the calendars and formats of CLDR leave to whoever writes a sentence with a date in it."""

import re
from typing import Final

from babel import Locale

# Languages written without spaces between sentences.
_WITHOUT_SPACES: Final = frozenset({"ja", "zh"})

# CLDR has these words in its "at time" patterns, which Babel does not carry.
_AT: Final = {"de": "um", "en": "at", "es": "a las", "fr": "à", "pt": "às"}
_BETWEEN_YEAR_AND_TIME: Final = re.compile(r"(?<=\d{4}),? (?=\d)")

# The first of a month is an ordinal in French and in Brazil; in Portugal it is not.
_FIRST: Final = {"fr": "1er", "pt": "1º", "pt-BR": "1º"}
_FIRST_OF_MONTH: Final = re.compile(r"^1(?= )")


def gap(locale: Locale) -> str:
    """What stands between two sentences: a space, or nothing in Japanese and Chinese."""
    return "" if locale.language in _WITHOUT_SPACES else " "


def in_a_sentence(moment: str, locale: Locale) -> str:
    """A date, with or without a time, as one writes it in running text: `1er novembre 2026 à 14:00 UTC`."""
    if word := _AT.get(locale.language):
        moment = _BETWEEN_YEAR_AND_TIME.sub(f" {word} ", moment).replace(" a las 1:", " a la 1:")
    region = locale.language if locale.language != "pt" else str(locale).replace("_", "-")
    if first := _FIRST.get(region):
        moment = _FIRST_OF_MONTH.sub(first, moment)
    return moment
