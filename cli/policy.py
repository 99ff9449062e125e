"""`dunning policy`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import Json, print_json, print_table
from cli.policy_move import move
from dunning.durations import spell
from dunning.policy import Policy
from dunning.segments import PolicyBook, Segment

app = typer.Typer(no_args_is_help=True, add_completion=False)

FIELDS = ("grace", "final_warnings", "escalate_after", "at_expiry", "mail_gap")


@app.callback()
def root() -> None:
    """The rules of patience: read a policy file before it is in force, move running cases to it."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The policy file, TOML.")],
    json: Json = False,
) -> None:
    """Read a policy file and show what each segment comes to. Exit code 2 when it cannot be meant.

    \b
    Example:
      dunning policy check policy.toml
    """
    from worker.policy import read_file

    book = read_file(file)
    if json:
        print_json({"base": _as_json(book.base), "segments": [_segment(each) for each in book.segments]})
        return
    print_table(
        ("Segment", "When", *(name.replace("_", " ").capitalize() for name in FIELDS)),
        _rows(book),
        title="Segments, in the order they are tried",
    )


def _rows(book: PolicyBook) -> list[tuple[object, ...]]:
    tried = [_row(segment.name, _when(segment), segment.policy) for segment in book.segments]
    return [*tried, _row("everybody else", "", book.base)]


def _row(name: str, when: str, policy: Policy) -> tuple[object, ...]:
    return (name, when or None, *(_shown(getattr(policy, field)) for field in FIELDS))


def _when(segment: Segment) -> str:
    given = segment.match.model_dump(exclude_defaults=True)
    return ", ".join(f"{name}: {_shown(value)}" for name, value in given.items())


def _shown(value: Any) -> str:
    match value:
        case timedelta():
            return spell(value)
        case tuple() | frozenset() | set():
            return ", ".join(
                _shown(each) for each in (sorted(value) if not isinstance(value, tuple) else value)
            )
        case dict():
            return ", ".join(f"{name}={each}" for name, each in value.items())
        case _:
            return str(value)


def _as_json(policy: Policy) -> dict[str, Any]:
    return policy.model_dump(mode="json")


def _segment(segment: Segment) -> dict[str, Any]:
    when = segment.match.model_dump(mode="json", exclude_defaults=True)
    return {"name": segment.name, "when": when, "policy": _as_json(segment.policy)}


# Listed after the one that only reads.
app.command()(move)
