"""Names come from customers and land in mail under the merchant's name: they are cleaned first."""

import re
import unicodedata

MAX_LENGTH = 60
# No more than this is looked at: some of what is taken out costs the square of it.
LONGEST = 1_000

# Mail clients turn "pay.example.com" into a link by themselves; a name like that would be a phishing link
# in the merchant's own mail. A space after the dot stops every client we know of and reads almost the same.
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:/+", re.IGNORECASE)
_DOMAIN_DOT = re.compile(r"(?<=\w)\.(?=[^\W\d_]{2})")
# Browsers take these for a dot.
_OTHER_DOTS = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61\u2024", "."))

# Zero-width joiners shape letters in Persian and Indic scripts; next to ASCII they only hide something.
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


def clean_name(value: str | None, max_length: int = MAX_LENGTH) -> str | None:
    """A name fit for a subject line and a greeting, at most `max_length` characters; None if nothing is left.

    Takes out control and bidirectional characters, folds white space, and defuses what looks like an
    address on the web.
    """
    text = unicodedata.normalize("NFC", (value or "")[:LONGEST]).translate(_OTHER_DOTS)
    if not text.isprintable():
        text = "".join(_visible(char, text[at - 1] if at else "") for at, char in enumerate(text))
    text = _DOMAIN_DOT.sub(". ", _SCHEME.sub("", text))
    text = " ".join(text.split())
    if len(text) > max_length:
        text = text[: max_length - 1].rstrip() + "…"
    return text or None


def _visible(char: str, before: str) -> str:
    if char.isspace():
        return " "
    if char in _JOINERS and before and not before.isascii():
        return char
    # Cc control, Cf format and bidi, Cs surrogate, Co private, Cn unassigned, Zl and Zp are white space
    return "" if unicodedata.category(char).startswith("C") else char
