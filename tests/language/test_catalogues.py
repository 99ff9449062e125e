"""Every catalogue is complete, and written as its language is written."""

import re

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po

from console import extract as banners
from console.banner import BANNERS
from emails import extract as mails
from emails.translations import MAILS
from language.catalogues import Catalogues
from portal import extract as pages
from portal.render import PAGES
from tests.emails.voices import VOICES

SOURCES = {
    MAILS: mails.source_catalogue(),
    BANNERS: banners.source_catalogue(),
    PAGES: pages.source_catalogue(),
}
TRANSLATED = [(kind, language) for kind in SOURCES for language in kind.languages()[1:]]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[^( ]|\{\w*\}")
ENGLISH = re.compile(r"\b(the|your|you|please|payment|with|and|access|subscription|charge)\b", re.IGNORECASE)

# Strings that are the same in English and in that language.
COLONS = {"%(label)s:", "%(label)s: %(value)s"}
SAME = {
    (MAILS, "de"): COLONS,
    (MAILS, "es"): COLONS | {"Plan"},
    (MAILS, "pt"): COLONS,
    (PAGES, "es"): {"Plan"},
}

each_catalogue = pytest.mark.parametrize(
    ("kind", "language"), TRANSLATED, ids=[f"{kind.domain}-{language}" for kind, language in TRANSLATED]
)


def catalogue(kind: Catalogues, language: str) -> Catalog:
    with kind.path(language).open("rb") as file:
        return read_po(file, locale=language.replace("-", "_"), abort_invalid=True)


def strings(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def identity(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def messages(source: Catalog) -> dict[tuple[str, ...], Message]:
    return {identity(message): message for message in source if message.id}


def translations(kind: Catalogues, language: str) -> list[tuple[str, str]]:
    """Each translated string after the English one it stands for."""
    found = messages(catalogue(kind, language)).items()
    return [(key[0], text) for key, message in found for text in strings(message)]


def faults(found: Catalog, source: Catalog) -> dict[str, str]:
    """What is wrong with a catalogue, by English string."""
    translated, wanted = messages(found), messages(source)
    return (
        {key[0]: "missing" for key in wanted.keys() - translated.keys()}
        | {key[0]: "left over" for key in translated.keys() - wanted.keys()}
        | {identity(message)[0]: "left over" for message in found.obsolete.values()}
        | {key[0]: fault for key, message in translated.items() if (fault := _fault(key, message))}
    )


def _fault(key: tuple[str, ...], message: Message) -> str | None:
    texts = strings(message)
    if not texts or not all(texts):
        return "empty"
    if message.fuzzy:
        return "fuzzy"
    # A singular may spell the number out.
    wanted = set().union(*(PLACEHOLDER.findall(text) for text in key)) | {"%(num)d"}
    right = all(set(PLACEHOLDER.findall(text)) | {"%(num)d"} == wanted for text in texts)
    return None if right else "other placeholders"


@each_catalogue
def test_every_string_is_translated_and_no_other(kind: Catalogues, language: str) -> None:
    """None is missing, left over, empty or fuzzy, or has lost the placeholder for its date."""
    assert faults(catalogue(kind, language), SOURCES[kind]) == {}


def test_every_fault_would_be_found() -> None:
    """A control: a catalogue with one of each is told so, entry by entry."""
    source, found = Catalog(), Catalog()
    for text in ("Right", "Until {until}", "On %(date)s", "Two {a} {b}", "Empty", "Fuzzy", "Missing"):
        source.add(text)
    source.add(("A day", "%(num)d days"))
    found.add("Right", "Richtig")
    found.add("Until {until}", "Bis {bis}")
    found.add("On %(date)s", "Am Tag")
    found.add("Two {a} {b}", "Zwei {a}")
    found.add("Empty", "")
    found.add("Fuzzy", "Ungefähr", flags=["fuzzy"])
    found.add("Left over", "Übrig")
    found.add(("A day", "%(num)d days"), ("Ein Tag", ""))
    found.obsolete["Obsolete"] = Message("Obsolete", "Veraltet")
    assert faults(found, source) == {
        "Until {until}": "other placeholders",
        "On %(date)s": "other placeholders",
        "Two {a} {b}": "other placeholders",
        "Empty": "empty",
        "Fuzzy": "fuzzy",
        "Missing": "missing",
        "Left over": "left over",
        "Obsolete": "left over",
        "A day": "empty",
    }


def test_banners_and_pages_speak_every_language_of_the_mails() -> None:
    """Who is written to in Japanese reads the banner and the page in Japanese."""
    assert (
        BANNERS.languages() == PAGES.languages() == MAILS.languages() == ("en", "de", "es", "fr", "ja", "pt")
    )


@each_catalogue
def test_plurals_are_those_of_the_language(kind: Catalogues, language: str) -> None:
    """The rule in the header is the language's own, and each plural has as many forms as it asks for."""
    found, rule = catalogue(kind, language), get_plural(language.replace("-", "_"))
    assert (found.num_plurals, found.plural_expr) == (rule.num_plurals, rule.plural_expr)
    plurals = [message for key, message in messages(found).items() if len(key) == 2]
    assert len(plurals) == (2 if kind is MAILS else 0)
    assert {len(strings(message)) for message in plurals} <= {rule.num_plurals}


@each_catalogue
def test_nothing_is_left_in_english(kind: Catalogues, language: str) -> None:
    """A string equal to its source is in the list above, and no English word is left inside another."""
    assert {text for source, text in translations(kind, language) if text == source} == SAME.get(
        (kind, language), set()
    )
    left = [text for _, text in translations(kind, language) if ENGLISH.search(PLACEHOLDER.sub("", text))]
    assert left == []


@each_catalogue
def test_the_punctuation_is_that_of_the_language(kind: Catalogues, language: str) -> None:
    """French spaces, Spanish opening marks, Japanese full-width signs, no typewriter quotes anywhere."""
    wrong = VOICES[language].wrong_signs
    found = [text for _, text in translations(kind, language) if wrong.search(PLACEHOLDER.sub("X", text))]
    assert found == []


def test_the_source_is_found_at_all() -> None:
    """A control: the extraction sees single strings, plurals, every mail and every banner."""
    found = messages(SOURCES[MAILS])
    assert ("Hello,",) in found
    assert any(len(key) == 2 for key in found)
    assert len(found) > 80
    assert ("Your subscription is paused.",) in messages(SOURCES[BANNERS])
    assert ("Amount due",) in messages(SOURCES[PAGES])
