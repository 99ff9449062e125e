"""What commands print: tables for people, JSON for machines, errors on stderr. Rich is loaded when needed."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

if TYPE_CHECKING:
    from rich.console import Console

# Rich takes 80 columns where there is no terminal; a log or a pipe can hold more.
PIPE_WIDTH = 120

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
"""The `--json` option, the same for every command."""


class CommandError(Exception):
    """A command could not do its work, for a reason its user can understand. Exit code 1."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def console(stream: TextIO | None = None) -> Console:
    """A rich console on `stream` (default stdout)."""
    from rich.console import Console

    file = stream if stream is not None else sys.stdout
    return Console(file=file, width=None if file.isatty() else PIPE_WIDTH, highlight=False)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    empty: str = "Nothing to show.",
) -> None:
    """Print `rows` under `columns`, or the sentence `empty` when there are none. None prints as a dash."""
    from rich.table import Table
    from rich.text import Text

    cells = [[Text(text(value)) for value in row] for row in rows]
    if not cells:
        console().print(Text(empty))
        return
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in cells:
        table.add_row(*row)
    console().print(table)


def plain(words: str) -> str:
    """Words fit for a terminal: whatever could steer it, or turn a line around, is left out.

    Names and reasons come from outside, and rich lets escape sequences through. Line breaks stay.
    """
    return "".join(char for char in words if char in "\n\u200c\u200d" or not _steers(char))


def _steers(char: str) -> bool:
    # Cc control, Cf format and bidi, Cs surrogate, Zl and Zp other line breaks; spaces of every width stay
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def text(value: object) -> str:
    """A value as a person reads it in a cell: instants in UTC to the second, enums by value, None as -."""
    match value:
        case None:
            return "-"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S} UTC" if value.utcoffset() is not None else value.isoformat(" ")
        case Enum():
            return str(value.value)
        case bool():
            return "yes" if value else "no"
    return plain(str(value))


def print_json(value: object) -> None:
    """Print one JSON document: dataclasses as objects, instants in ISO 8601, decimals as strings."""
    document = json.dumps(value, default=_simple, indent=2, ensure_ascii=False)
    # What JSON itself does not escape, and a terminal follows, stands within its strings alone.
    sys.stdout.write("".join(_escaped(char) for char in document) + "\n")


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if char != "\n" and ord(char) < 0x10000 and _steers(char) else char


def _simple(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        # A level at a time: `asdict` takes a Counter apart into pairs before Python 3.12.
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def print_error(title: str, message: str, hint: str | None = None) -> None:
    """Print a panel on stderr: what went wrong and, below it, what to do."""
    from rich.panel import Panel
    from rich.text import Text

    body = Text(plain(message if hint is None else f"{message}\n\n{hint}"))
    console(sys.stderr).print(Panel(body, title=title, title_align="left", border_style="red"))
