"""Which language a mail is written in."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from language.catalogues import SOURCE_LANGUAGE, Catalogues

__all__ = ["MAILS", "SOURCE_LANGUAGE", "choose_locale", "language_of", "languages", "translations"]

MAILS: Final = Catalogues(Path(__file__).parent / "locales", "emails")

languages = MAILS.languages
language_of = MAILS.language_of
translations = MAILS.translations


def choose_locale(preferred: Iterable[str]) -> str:
    """The first of the preferred locales we have words for, as a BCP 47 tag with its region."""
    return MAILS.choose(preferred)[1]
