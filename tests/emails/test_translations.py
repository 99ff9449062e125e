"""Every language is complete, and every reader gets the right one."""

import re

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from emails.extract import source_catalogue
from emails.translations import choose_locale, languages, po_path

TRANSLATED = languages()[1:]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[^( ]")


def catalogue(language: str) -> Catalog:
    with po_path(language).open("rb") as file:
        return read_po(file, locale=language.replace("-", "_"), abort_invalid=True)


def strings(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def identity(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def messages(source: Catalog) -> dict[tuple[str, ...], Message]:
    return {identity(message): message for message in source if message.id}


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_string_is_missing_or_left_over(language: str) -> None:
    """The catalogue holds exactly what the templates ask for, each of it translated and none of it fuzzy."""
    found = messages(catalogue(language))
    assert found.keys() == messages(source_catalogue()).keys()
    assert [key for key, message in found.items() if message.fuzzy or not all(strings(message) or [""])] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_placeholders_are_those_of_the_source(language: str) -> None:
    """A translation with another placeholder would fail, or hide a date, when the mail is written."""
    for key, message in messages(catalogue(language)).items():
        wanted = set().union(*(PLACEHOLDER.findall(text) for text in key))
        for text in strings(message):
            # A singular may spell the number out.
            assert set(PLACEHOLDER.findall(text)) | {"%(num)d"} == wanted | {"%(num)d"}, key


def test_the_source_is_found_at_all() -> None:
    """A control: the extraction sees single strings, plurals and every mail."""
    found = messages(source_catalogue())
    assert ("Hello,",) in found
    assert any(len(key) == 2 for key in found)
    assert len(found) > 80


@pytest.mark.parametrize(
    ("preferred", "chosen"),
    [
        ([], "en"),
        (["de"], "de"),
        (["de-AT"], "de-AT"),
        (["de_CH"], "de-CH"),
        (["DE-de"], "de-DE"),
        (["de-CH-1996"], "de-CH"),
        (["xx", "de"], "de"),
        (["en-GB", "de"], "en-GB"),
        (["xx-YY"], "en"),
        (["*", ""], "en"),
        (["de-XX-nonsense!"], "de"),
    ],
)
def test_the_first_language_we_can_write_is_chosen(preferred: list[str], chosen: str) -> None:
    """BCP 47 lookup in the customer's order; the region stays, for dates and amounts."""
    assert choose_locale(preferred) == chosen
