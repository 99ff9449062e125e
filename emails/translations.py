"""Which language a mail is written in. English is the source; any other language is one .po file."""

import gettext
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale
from babel.core import UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE_LANGUAGE: Final = "en"
LOCALES: Final = Path(__file__).parent / "locales"


def po_path(language: str) -> Path:
    """The catalogue of a language: `locales/pt_BR/LC_MESSAGES/emails.po` for `pt-BR`."""
    return LOCALES / language.replace("-", "_") / "LC_MESSAGES" / "emails.po"


@cache
def languages() -> tuple[str, ...]:
    """The languages mails can be written in, as BCP 47 tags, English first."""
    found = sorted(path.parent.parent.name.replace("_", "-") for path in LOCALES.glob("*/*/emails.po"))
    return SOURCE_LANGUAGE, *found


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The translations of one of `languages()`; fuzzy ones are left out and fall back to English."""
    if language == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    compiled = BytesIO()
    with po_path(language).open("rb") as source:
        write_mo(compiled, read_po(source, locale=language.replace("-", "_")))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def language_of(locale: str) -> str | None:
    """The language `locale` is served in, by BCP 47 lookup (RFC 4647, 3.4): `de-CH-1996`, `de-CH`, `de`."""
    available = {tag.lower(): tag for tag in languages()}
    subtags = locale.replace("_", "-").lower().split("-")
    while subtags:
        if found := available.get("-".join(subtags)):
            return found
        subtags.pop()
    return None


def choose_locale(preferred: Sequence[str]) -> str:
    """The first of the preferred locales we have words for, with its region kept for dates and amounts.

    `["fr", "de-AT"]` gives `de-AT` as long as there is no French; nothing suitable gives `en`.
    """
    for wanted in preferred:
        if language := language_of(wanted):
            return _known(wanted) or language
    return SOURCE_LANGUAGE


def _known(locale: str) -> str | None:
    try:
        return str(Locale.parse(locale.replace("-", "_"))).replace("_", "-")
    except (UnknownLocaleError, ValueError):
        return None
