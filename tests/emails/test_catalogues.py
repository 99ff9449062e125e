"""Every catalogue is complete, and written as its language is written."""

import re

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po

from emails.extract import source_catalogue
from emails.translations import languages, po_path
from tests.emails.voices import VOICES

TRANSLATED = languages()[1:]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[^( ]")
ENGLISH = re.compile(r"\b(the|your|you|please|payment|with|and|access|subscription|charge)\b", re.IGNORECASE)

# Strings that are the same in English and in that language.
COLONS = {"%(label)s:", "%(label)s: %(value)s"}
SAME = {"de": COLONS, "es": COLONS | {"Plan"}, "pt": COLONS}


def catalogue(language: str) -> Catalog:
    with po_path(language).open("rb") as file:
        return read_po(file, locale=language.replace("-", "_"), abort_invalid=True)


def strings(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def identity(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def messages(source: Catalog) -> dict[tuple[str, ...], Message]:
    return {identity(message): message for message in source if message.id}


def translations(language: str) -> list[tuple[str, str]]:
    """Each translated string after the English one it stands for."""
    found = messages(catalogue(language)).items()
    return [(key[0], text) for key, message in found for text in strings(message)]


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


@pytest.mark.parametrize("language", TRANSLATED)
def test_plurals_are_those_of_the_language(language: str) -> None:
    """The rule in the header is the language's own, and each plural has as many forms as it asks for."""
    found, rule = catalogue(language), get_plural(language.replace("-", "_"))
    assert (found.num_plurals, found.plural_expr) == (rule.num_plurals, rule.plural_expr)
    plurals = [message for key, message in messages(found).items() if len(key) == 2]
    assert len(plurals) == 2
    assert {len(strings(message)) for message in plurals} == {rule.num_plurals}


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_left_in_english(language: str) -> None:
    """A string equal to its source is in the list above, and no English word is left inside another."""
    assert {text for source, text in translations(language) if text == source} == SAME.get(language, set())
    left = [text for _, text in translations(language) if ENGLISH.search(PLACEHOLDER.sub("", text))]
    assert left == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_punctuation_is_that_of_the_language(language: str) -> None:
    """French spaces, Spanish opening marks, Japanese full-width signs, no typewriter quotes anywhere."""
    wrong = VOICES[language].wrong_signs
    found = [text for _, text in translations(language) if wrong.search(PLACEHOLDER.sub("X", text))]
    assert found == []


def test_the_source_is_found_at_all() -> None:
    """A control: the extraction sees single strings, plurals and every mail."""
    found = messages(source_catalogue())
    assert ("Hello,",) in found
    assert any(len(key) == 2 for key in found)
    assert len(found) > 80
