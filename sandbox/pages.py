"""The inbox as HTML pages on disk: a list, a list per person, a page per mail. No JavaScript."""

import hashlib
import itertools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sandbox.mail import Mail

_SNIPPET_CHARACTERS = 140


@dataclass(frozen=True, slots=True)
class Person:
    """A recipient, and the file that lists the mails to this address."""

    address: str

    @property
    def file(self) -> str:
        """Readable, and distinct for any two addresses."""
        readable = re.sub(r"[^a-z0-9]+", "-", self.address.lower()).strip("-")
        return f"to-{readable[:60]}-{self._digest.hex()[:6]}.html"

    @property
    def hue(self) -> int:
        """The person's colour, in degrees."""
        return int.from_bytes(self._digest[:2], "big") % 360

    @property
    def initial(self) -> str:
        """What stands in the person's round mark."""
        return self.address[:1].upper() or "?"

    @property
    def _digest(self) -> bytes:
        return hashlib.sha256(self.address.encode()).digest()


class Pages:
    """Writes the pages of one inbox into a directory."""

    def __init__(self, directory: Path) -> None:
        """Use this directory, which exists."""
        self._directory = directory
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(person=recipient, page=page_name)
        self._environment.filters.update(snippet=snippet, by_day=by_day)

    def write(self, mails: Sequence[Mail], new: Sequence[Mail]) -> None:
        """Bring the pages up to date with the `new` ones among `mails`."""
        numbers = {mail.number for mail in new}
        in_order = sorted(mails, key=lambda mail: (mail.date, mail.number))
        by_person: dict[Person, list[Mail]] = {}
        for mail in in_order:
            by_person.setdefault(recipient(mail), []).append(mail)
        self._list("index.html", in_order, by_person, None)
        for person in {recipient(mail): None for mail in new}:
            thread = by_person[person]
            self._list(person.file, thread, by_person, person)
            for position, mail in enumerate(thread):
                # A new mail has a page to write, and so have its neighbours, which link to it.
                if any(near.number in numbers for near in thread[max(position - 1, 0) : position + 2]):
                    self._mail(mail, thread, position)

    def _list(
        self, file: str, mails: list[Mail], by_person: dict[Person, list[Mail]], chosen: Person | None
    ) -> None:
        newest_first = mails[::-1] if chosen is None else mails
        people = sorted(by_person.items(), key=lambda item: item[0].address)
        self._render(file, "list.html", mails=newest_first, people=people, chosen=chosen)

    def _mail(self, mail: Mail, thread: list[Mail], position: int) -> None:
        self._render(
            page_name(mail),
            "mail.html",
            mail=mail,
            earlier=thread[position - 1] if position else None,
            later=thread[position + 1] if position + 1 < len(thread) else None,
        )

    def _render(self, file: str, template: str, **values: object) -> None:
        unfinished = self._directory / f".{file}"
        unfinished.write_text(self._environment.get_template(template).render(values))
        os.replace(unfinished, self._directory / file)  # a reader never sees half a page


def recipient(mail: Mail) -> Person:
    """The person a mail is listed under: its first recipient."""
    return Person(mail.recipients[0].lower() if mail.recipients else "")


def page_name(mail: Mail) -> str:
    """The file of a mail's page."""
    return f"{mail.number:04}.html"


def snippet(mail: Mail) -> str:
    """The beginning of the text, on one line."""
    return " ".join(mail.text.split())[:_SNIPPET_CHARACTERS]


def by_day(mails: list[Mail]) -> list[tuple[date, list[Mail]]]:
    """The mails in runs of the same day, in their order."""
    return [(day, list(run)) for day, run in itertools.groupby(mails, lambda mail: mail.date.date())]
