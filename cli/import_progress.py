"""How far it has come, on stderr: a line that moves in a terminal, else one every thousand objects."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from cli.output import console

Told = Callable[[str, Mapping[str, int]], None]

EVERY = 1_000


# What is counted, and what it is called.
Named = Sequence[tuple[str, str]]
IMPORTED: Named = (("subscriptions", "subscriptions"), ("invoices", "open invoices"), ("cases", "cases"))


def in_words(counts: Mapping[str, int], named: Named = IMPORTED) -> str:
    """`4,300 subscriptions, 118 open invoices, 104 cases`"""
    return ", ".join(f"{counts.get(name, 0):,} {words}" for name, words in named)


@contextmanager
def progress(named: Named = IMPORTED) -> Iterator[Told]:
    """Tell it after each page. Stripe does not say how many there are, so that there is no end to move to."""
    if not sys.stderr.isatty():
        yield _Lines(named).told
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console(sys.stderr), transient=True) as shown:
        task = shown.add_task("Asking Stripe", total=None)
        yield lambda _, counts: shown.update(task, description=in_words(counts, named))


class _Lines:
    """For logs and pipes."""

    def __init__(self, named: Named) -> None:
        self._named, self._told = named, 0

    def told(self, stage: str, counts: Mapping[str, int]) -> None:
        objects = sum(counts.get(name, 0) for name, _ in self._named)
        if objects // EVERY > self._told:
            self._told = objects // EVERY
            sys.stderr.write(f"{stage}: {in_words(counts, self._named)}\n")
            sys.stderr.flush()
