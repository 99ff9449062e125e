"""What mails have in common that differ only in names, amounts, dates and links, kept ready to be filled in.

To fill the templates takes longer than all else that a mail needs. So they are given stand-ins for what they
do nothing with but print, and the facts themselves are put into what came of it. Whatever else they are told
(the reason, a number, that something is missing) is for a mould of its own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from emails.context import Moment, ShownInvoice

# Only ever printed by our templates, or asked whether they are there at all.
_PRINTED: Final = frozenset(
    {
        "address",
        "amount",
        "card",
        "customer_name",
        "expires",
        "invoice_number",
        "manage_url",
        "pay_url",
        "plan",
        "receipt_url",
        "return_url",
        "update_url",
    }
)
# For private use: nothing a customer could have written, since names are rid of it.
_MARK: Final = "\ue000"
_STAND_IN: Final = re.compile(f"{_MARK}([0-9]+){_MARK}")
# As the inliner writes what it has read.
_IN_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\N{NO-BREAK SPACE}": "&nbsp;"})
_IN_A_TAG: Final = str.maketrans({"&": "&amp;", '"': "&quot;", "\N{NO-BREAK SPACE}": "&nbsp;"})

Shape = tuple[tuple[str, object], ...]


def stand_in(number: int) -> str:
    """What a template is given instead of the value with this number."""
    return f"{_MARK}{number}{_MARK}"


def apart(facts: Mapping[str, object]) -> tuple[Shape, list[str]]:
    """The facts with stand-ins, fit to be a key and to be filled into templates, and the values for those."""
    values: list[str] = []

    def kept(value: str) -> str:
        values.append(value)
        return stand_in(len(values) - 1)

    def shape(name: str, value: object) -> object:
        match value:
            case Moment():
                return Moment(kept(value.date), kept(value.date_time))
            case ShownInvoice():
                return replace(
                    value,
                    number=kept(value.number) if value.number else value.number,
                    amount=kept(value.amount) if value.amount else value.amount,
                )
            case tuple():
                return tuple(shape(name, each) for each in value)
            case str() if value and name in _PRINTED:
                return kept(value)
            case _:
                return value

    return tuple((name, shape(name, value)) for name, value in facts.items()), values


@dataclass(frozen=True, slots=True)
class Mould:
    """A form of a mail, cut at its stand-ins: what is before each, its number, and whether it is in a tag."""

    pieces: tuple[tuple[str, int, bool], ...]
    end: str

    @classmethod
    def of(cls, form: str) -> Self:
        """Cut what the templates have made of stand-ins."""
        pieces, end = [], 0
        for found in _STAND_IN.finditer(form):
            in_a_tag = form.rfind("<", 0, found.start()) > form.rfind(">", 0, found.start())
            pieces.append((form[end : found.start()], int(found[1]), in_a_tag))
            end = found.end()
        return cls(tuple(pieces), form[end:])

    def text(self, values: Sequence[str]) -> str:
        """Filled with these values as they are."""
        return "".join([part for before, at, _ in self.pieces for part in (before, values[at])]) + self.end

    def html(self, values: Sequence[str]) -> str:
        """Filled with these values, which are text."""
        filled = [
            part
            for before, at, in_a_tag in self.pieces
            for part in (before, values[at].translate(_IN_A_TAG if in_a_tag else _IN_TEXT))
        ]
        return "".join(filled) + self.end
