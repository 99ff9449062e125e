"""Texts in the reader's language, by gettext. English is the source; any other language is one .po file."""

from __future__ import annotations

import gettext
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final, NewType

from babel import Locale
from babel.core import UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE_LANGUAGE: Final = "en"
# Language, script, region and one variant. A header may hold a tag of thousands.
MOST_SUBTAGS: Final = 4

# An English text in code. Written `Message("...")`, it is found by the extraction into the catalogues.
Message = NewType("Message", str)


@dataclass(frozen=True, slots=True)
class Catalogues:
    """The catalogues of one room: `folder/pt_BR/LC_MESSAGES/<domain>.po` for Brazilian Portuguese."""

    folder: Path
    domain: str

    def path(self, language: str) -> Path:
        """The catalogue of a language, whether it is there or not."""
        return self.folder / language.replace("-", "_") / "LC_MESSAGES" / f"{self.domain}.po"

    def languages(self) -> tuple[str, ...]:
        """The languages there are words in, as BCP 47 tags, English first."""
        return _languages(self)

    def translations(self, language: str) -> gettext.NullTranslations:
        """The translations of one of `languages()`; fuzzy ones are left out and fall back to English."""
        return _translations(self, language)

    def language_of(self, locale: str) -> str | None:
        """What `locale` is served in, by BCP 47 lookup (RFC 4647, 3.4): `de-CH-1996`, `de-CH`, `de`."""
        available = {tag.lower(): tag for tag in self.languages()}
        subtags = locale.replace("_", "-").lower().split("-", MOST_SUBTAGS)[:MOST_SUBTAGS]
        while subtags:
            if found := available.get("-".join(subtags)):
                return found
            subtags.pop()
        return None

    def choose(self, preferred: Iterable[str]) -> tuple[str, str]:
        """The language for a reader, and the locale for their dates and amounts.

        It is the first preferred one there are words in, its region kept where it is known: `["fr", "de-AT"]`
        gives `("de", "de-AT")` as long as there is no French. Nothing suitable gives English.
        """
        for wanted in preferred:
            if language := self.language_of(wanted):
                return language, _known(wanted) or language
        return SOURCE_LANGUAGE, SOURCE_LANGUAGE


# Read once in the life of a process.
@cache
def _languages(catalogues: Catalogues) -> tuple[str, ...]:
    paths = catalogues.folder.glob(f"*/LC_MESSAGES/{catalogues.domain}.po")
    return SOURCE_LANGUAGE, *sorted(path.parent.parent.name.replace("_", "-") for path in paths)


@cache
def _translations(catalogues: Catalogues, language: str) -> gettext.NullTranslations:
    if language == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    compiled = BytesIO()
    with catalogues.path(language).open("rb") as source:
        write_mo(compiled, read_po(source, locale=language.replace("-", "_")))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _known(locale: str) -> str | None:
    try:
        return str(Locale.parse(locale.replace("-", "_"))).replace("_", "-")
    except (UnknownLocaleError, ValueError):
        return None
