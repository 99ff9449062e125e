"""A policy as the text of a policy file: every field with its description, and what segments change.

The counterpart of `dunning.policy_file`, which reads the text back to the same policies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from textwrap import wrap
from typing import Any

from pydantic import BaseModel

from dunning.durations import spell
from dunning.policy import Policy
from dunning.segments import Match, PolicyBook, Segment

WIDTH = 100
FIELDS = tuple(name for name in Policy.model_fields if name != "key")
# The settings give these to a file that does not.
LEFT_TO_SETTINGS = ("time_zone",)


def write_policy(book: PolicyBook) -> str:
    """The file. Raises ValueError for a value that the format has no words for."""
    tables = [name for name in FIELDS if _table(getattr(book.base, name)) is not None]
    parts = [_commented(book.base, name) for name in FIELDS if name not in tables]
    parts += [_commented_table(book.base, name) for name in tables]
    parts += [_segment(segment, book.base) for segment in book.segments]
    return "\n".join(parts)


def own_values(policy: Policy, base: Policy) -> dict[str, Any]:
    """The fields of a policy that differ from those of another; of tables only the entries that do."""
    found: dict[str, Any] = {}
    for name in FIELDS:
        value, other = getattr(policy, name), getattr(base, name)
        if value == other:
            continue
        entries, others = _table(value), _table(other) or {}
        found[name] = (
            value
            if entries is None
            else {key: entry for key, entry in entries.items() if others.get(key) != entry}
        )
    return found


def spelled(value: Any) -> str:
    """A value as one writes it in the file."""
    match value:
        case None:
            return '"never"'
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case date():
            return value.isoformat()
        case timedelta():
            return f'"{spell(value)}"'
        case tuple():
            return f"[{', '.join(map(spelled, value))}]"
        case frozenset() | set():
            several = [spelled(each) for each in sorted(value)]
            return (
                several[0] if len(several) == 1 and several[0].startswith('"') else f"[{', '.join(several)}]"
            )
        case dict() | Mapping():
            return f"{{ {', '.join(f'{_key(key)} = {spelled(each)}' for key, each in value.items())} }}"
        case _:
            text = str(value)
            if '"' in text or "\\" in text or not text.isprintable():
                raise ValueError(f"{text!r} is no plain text")
            return f'"{text}"'


def _table(value: Any) -> dict[str, Any] | None:
    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in type(value).model_fields}
    return value if isinstance(value, dict) else None


def _key(name: str) -> str:
    plain = name.replace("_", "").replace("-", "")
    return name if plain.isascii() and plain.isalnum() else spelled(name)


def _commented(policy: Policy, name: str) -> str:
    line = f"{name} = {spelled(getattr(policy, name))}"
    return "\n".join([*_comment(name), f"# {line}" if name in LEFT_TO_SETTINGS else line, ""])


def _commented_table(policy: Policy, name: str) -> str:
    entries = _table(getattr(policy, name)) or {}
    lines = [f"{_key(key)} = {spelled(value)}" for key, value in entries.items()]
    return "\n".join([*_comment(name), f"[{name}]", *lines, ""])


def _comment(name: str) -> Iterator[str]:
    field = Policy.model_fields[name]
    about = field.description or ""
    if name in LEFT_TO_SETTINGS:
        about += " Where it is left out, DUNNING_TIMEZONE counts."
    yield from (f"# {line}" for line in wrap(about, WIDTH - 2))


def _segment(segment: Segment, base: Policy) -> str:
    own = own_values(segment.policy, base)
    tables = {name: value for name, value in own.items() if isinstance(value, dict)}
    lines = ["[[segment]]", f"name = {spelled(segment.name)}", f"when = {spelled(conditions(segment.match))}"]
    lines += [f"{name} = {spelled(value)}" for name, value in own.items() if name not in tables]
    for name, entries in tables.items():
        lines += [
            "",
            f"[segment.{name}]",
            *(f"{_key(key)} = {spelled(each)}" for key, each in entries.items()),
        ]
    return "\n".join([*lines, ""])


def conditions(match: Match) -> dict[str, Any]:
    """The conditions that are given."""
    return {
        name: value
        for name, value in match
        if value != type(match).model_fields[name].get_default(call_default_factory=True)
    }
