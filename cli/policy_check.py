"""`dunning policy check` and `dunning policy default`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel

from cli.output import Json, print_json
from cli.tables import heading, print_pairs, say
from dunning.policy import Policy
from dunning.policy_text import FIELDS, conditions, own_values, spelled, write_policy
from dunning.segments import PolicyBook, Segment

HEADER = """\
# The default policy, whole. Change what should be otherwise, leave out the rest, name the file in
# DUNNING_POLICY_FILE; `dunning policy check` reads it. Spans are written 15min, 72h, 14d or 3w.

"""


def check(
    file: Annotated[Path, typer.Argument(help="The policy file, TOML.")],
    json: Json = False,
) -> None:
    """Read a policy file and show what each segment comes to. Exit code 2 when it cannot be meant.

    \b
    Of a segment only that is shown which differs from what holds for everybody.

    \b
    Examples:
      dunning policy check policy.toml
      dunning policy check policy.toml --json
    """
    from worker.policy import read_file

    book = read_file(file)
    if json:
        print_json({"base": _as_json(book.base), "segments": [_segment(each) for each in book.segments]})
    else:
        _show(book)


def default() -> None:
    """Print the default policy as a policy file to start from, every field with its description.

    \b
    Examples:
      dunning policy default > policy.toml
    """
    from dunning.defaults import default_book

    sys.stdout.write(HEADER + write_policy(default_book(Policy())))


def _show(book: PolicyBook) -> None:
    heading("Everybody")
    usual = Policy()
    _values({name: getattr(book.base, name) for name in FIELDS}, usual)
    if not book.segments:
        say("There are no segments.")
        return
    heading("Segments, in the order they are tried; the first that fits counts", level=2)
    for segment in book.segments:
        when = conditions(segment.match)
        told = ", ".join(f"{name} = {spelled(value)}" for name, value in when.items())
        say(f"{segment.name}: when {told}" if told else f"{segment.name}: always", style="bold")
        own = own_values(segment.policy, book.base)
        if own:
            _values(own)
        else:
            say("nothing is different", indent=2)


def _values(values: dict[str, Any], usual: Policy | None = None) -> None:
    """Names and values, those that are not the default's marked; entries of tables below their name."""
    tables = {name: entries for name, value in values.items() if (entries := _entries(value)) is not None}
    print_pairs(
        [
            (name, _marked(value, usual is not None and getattr(usual, name) != value))
            for name, value in values.items()
            if name not in tables
        ]
    )
    for name, entries in tables.items():
        others = _entries(getattr(usual, name)) or {} if usual else entries
        say(name if entries else f"{name}: none", indent=2)
        print_pairs(
            [(key, _marked(each, others.get(key) != each)) for key, each in entries.items()], indent=4
        )


def _entries(value: Any) -> dict[str, Any] | None:
    """Of a field that is a table in the file."""
    return value if isinstance(value, dict) else dict(value) if isinstance(value, BaseModel) else None


def _marked(value: Any, changed: bool) -> str:
    plain = spelled(value).replace('"', "").strip("[]") or "none"
    return f"{plain}   (changed)" if changed else plain


def _as_json(policy: Policy) -> dict[str, Any]:
    return policy.model_dump(mode="json")


def _segment(segment: Segment) -> dict[str, Any]:
    when = segment.match.model_dump(mode="json", exclude_defaults=True)
    return {"name": segment.name, "when": when, "policy": _as_json(segment.policy)}
