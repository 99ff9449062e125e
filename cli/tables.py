"""Tables that fit where they go: drawn by rich in a terminal, one plain line per row in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cli.output import console, plain, text

# Between two columns of a pipe's plain table.
GAP = "  "


def in_terminal() -> bool:
    """Whether a person is looking."""
    return sys.stdout.isatty()


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str = "-") -> None:
    """Print `rows` under `columns`, or the sentence `empty`. Values are shown as `cli.output.text` does.

    A cell may have several lines, of which a pipe's line shows all, with spaces between them.
    """
    cells = [[text(value) for value in row] for row in rows]
    if not cells:
        say(empty)
    elif in_terminal():
        _draw(columns, cells)
    else:
        _write([[column.upper() for column in columns], *([_flat(cell) for cell in row] for row in cells)])


def _draw(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    tall = any("\n" in cell for row in cells for cell in row)
    table = Table(box=box.SIMPLE_HEAD, show_lines=tall, padding=(0, 1, 0, 0), show_edge=False)
    for place, column in enumerate(columns):
        # What a row is known by, an id or a time, is never broken.
        table.add_column(column, overflow="fold", no_wrap=place == 0)
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    console().print(table)


def _flat(cell: str) -> str:
    return " ".join(cell.split())


def _write(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(line.rstrip() + "\n")


def print_pairs(pairs: Sequence[tuple[str, object]], *, indent: int = 2) -> None:
    """Print names with their values, one below the other."""
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        say(text(value), indent=indent, label=name.ljust(width + 2))


def heading(words: str, *, level: int = 1) -> None:
    """A line that starts a section: bold in a terminal."""
    words = plain(words)
    sys.stdout.write("\n" if level > 1 else "")
    if in_terminal():
        from rich.text import Text

        console().print(Text(words, style="bold" if level > 1 else "bold underline"))
    else:
        sys.stdout.write(words + "\n")


def say(words: str, *, indent: int = 0, label: str = "", style: str | None = None) -> None:
    """Print a paragraph after `label`; in a terminal it is wrapped and hangs below its own beginning."""
    words, label = plain(words), plain(label)
    if not in_terminal():
        sys.stdout.write(f"{' ' * indent}{label}{words}\n")
        return
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=0)
    if label:
        grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    cells = [Text(label, style="dim")] if label else []
    grid.add_row(*cells, Text(words, style=style or ""))
    console().print(Padding(grid, (0, 0, 0, indent)))
