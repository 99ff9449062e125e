"""What somebody may call themselves who wishes ill, and whether a text, a page or a line took it for more."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import Enum
from html.parser import HTMLParser
from typing import Any, Literal

from dunning.abilities import Ability
from dunning.declines import Category
from dunning.money import Money
from emails.catalogue import CardLabel, OtherInvoice
from portal.facts import Coming, Facts, Owed

ATTACKS = {
    "markup": "<img src=x onerror=alert(1)>",
    "an attribute": "x\" onmouseover='alert(1)' y=\"",
    "the end of a script": "</script><script>alert(1)</script>",
    "an entity": "&lt;img src=x onerror=alert(1)&gt;",
    "a template": "{{ 7777*3 }}{% include 'x' %}${7777*3}#{7777*3}",
    "a format": "%s %(amount)s {0} {amount} %n",
    "a header": "Ada\r\nBcc: x@evil.example\r\n\r\nhello",
    "a link": "https://evil.example/pay",
    "an address": "www.evil.example",
    "a link of Markdown": "[pay here](https://evil.example)",
    "a line turned around": "Ada \u202eelpmaxe.live\u202c \u2066x\u2069",
    "escape sequences": "Ada \x1b]0;owned\x07\x1b[31mred\x9b31m\x08\x7f",
    "a forged line": "Ada\n2026-11-28T02:57:19Z [info] case.opened\u2028x\x85y",
    "everybody in the room": "<!channel> <@U1> <users/all> @everyone @here",
    "nothing that a column holds": "Ada\x00\ud800",
    "a formula": '=HYPERLINK("http://evil.example","x")',
}
NOW = datetime(2026, 11, 16, 13, tzinfo=UTC)


def is_one_way(words: str, *, lines: bool = True) -> bool:
    """Whether a text holds nothing that steers a terminal, turns around what is read, or ends a line."""
    allowed = "\n\t" if lines else ""
    return not any(
        unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and char not in allowed for char in words
    )


def is_plain(words: str) -> bool:
    """Whether a text for people is harmless: also no link of theirs, no header, nothing worked out."""
    return (
        is_one_way(words)
        and not re.search(r"(?<![\w-])evil\.example", words)
        and not re.search(r"^Bcc:", words, re.MULTILINE)
        and "23331" not in words
    )


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("script", "iframe", "object", "base") or any(name.startswith("on") for name in values):
            self.wrong.append(tag)
        for name in ("href", "src", "action", "formaction"):
            if "evil.example" in (values.get(name) or "") or values.get(name) == "x":
                self.wrong.append(f"{tag} {name}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def is_harmless(page: str) -> bool:
    """Whether a page or a mail has no tag, attribute or link of theirs, and reads as harmless."""
    reader = _Reader()
    reader.feed(page)
    return not reader.wrong and is_plain("".join(reader.words).replace("\N{WORD JOINER}", ""))


# every field of a record that holds words

_HARMLESS = (int, bool, datetime, date, Money, Category, frozenset[Ability], types.NoneType)
_SAMPLES: dict[type, Any] = {
    CardLabel: CardLabel("visa", "4242"),
    OtherInvoice: OtherInvoice("NW-1", Money(900, "eur"), Category.UNKNOWN),
    Owed: Owed("NW-1", Money(900, "eur")),
    Coming: Coming(NOW, "retry"),
}
# Words of ours, which no customer and no provider can choose.
_OURS = {(Coming, "what"), (Facts, "access")}


def with_words(record: Any, words: str, *, leave: tuple[str, ...] = ()) -> Any:
    """A copy of a dataclass in which every field that can hold words holds these, but for links."""
    hints = typing.get_type_hints(type(record))
    changed = {}
    for each in dataclasses.fields(record):
        ours = each.name in leave or each.name.endswith("_url") or (type(record), each.name) in _OURS
        if not ours and (found := list(_values(hints[each.name], words))):
            changed[each.name] = found[0]
    return dataclasses.replace(record, **changed)


def _values(hint: Any, words: str) -> Iterator[Any]:
    """Values of an annotated type that hold the words wherever it can. An unknown type is an error."""
    arguments = typing.get_args(hint)
    origin = typing.get_origin(hint)
    if hint is str:
        yield words
    elif isinstance(hint, types.UnionType):
        for each in arguments:
            yield from _values(each, words)
    elif origin is tuple and arguments[-1] is Ellipsis:
        yield from ((each,) for each in _values(arguments[0], words))
    elif origin is tuple:
        places = [list(_values(each, words)) for each in arguments]
        if any(places):
            yield tuple(found[0] if found else NOW for found in places)
    elif hint in _SAMPLES:
        yield with_words(_SAMPLES[hint], words)
    elif not (origin is Literal or hint in _HARMLESS or (isinstance(hint, type) and issubclass(hint, Enum))):
        raise TypeError(f"say in tests/injection/words.py what {hint} can hold")
