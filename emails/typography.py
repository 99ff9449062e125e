"""What the calendars and formats of CLDR leave to whoever writes a sentence with a date in it."""

import re
from typing import Final

from babel import Locale

# Languages written without spaces between sentences.
_WITHOUT_SPACES: Final = frozenset({"ja", "zh"})

Rules = tuple[tuple[re.Pattern[str], str], ...]

# The first of a month is an ordinal in French and in Brazil; in Portugal it is not. CLDR's "long" pattern for
# Portuguese sets the time next to the year without a word.
_FRENCH: Final[Rules] = ((re.compile(r"^1 "), "1er "),)
_PORTUGUESE: Final[Rules] = ((re.compile(r"(?<=\d{4}) (?=\d)"), " às "),)
_BRAZILIAN: Final[Rules] = ((re.compile(r"^1 "), "1º "), *_PORTUGUESE)


def gap(locale: Locale) -> str:
    """What stands between two sentences: a space, or nothing in Japanese and Chinese."""
    return "" if locale.language in _WITHOUT_SPACES else " "


def in_a_sentence(moment: str, locale: Locale) -> str:
    """A date, with or without a time, as one writes it in running text: `1er novembre 2026`."""
    match locale.language, locale.territory:
        case "fr", _:
            rules = _FRENCH
        case "pt", None | "BR":
            rules = _BRAZILIAN
        case "pt", _:
            rules = _PORTUGUESE
        case _:
            return moment
    for pattern, replacement in rules:
        moment = pattern.sub(replacement, moment)
    return moment
