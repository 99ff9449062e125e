"""Read a policy file: TOML in, a PolicyBook out, every problem with its line and field.

    grace = "14d"
    final_warnings = ["72h", "24h"]

    [[segment]]
    name = "annual"
    when = { interval = "year" }
    grace = "21d"

`tomllib` keeps no positions, so the text is scanned once more for the lines its keys stand on.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from dunning.policy import Policy
from dunning.segments import Match, PolicyBook, Segment

Path = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\"-]+)\s*=")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` counts from 1; `field` is written as in the file: `segment[1].grace`."""

    line: int
    field: str
    message: str


class PolicyFileError(ValueError):
    """The file cannot be meant as it stands. `problems` are in the order of their lines."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.line, problem.field))
        super().__init__(
            "\n".join(f"line {each.line}: {each.field}: {each.message}" for each in self.problems)
        )


def read_policy(text: str, *, time_zone: str = "UTC") -> PolicyBook:
    """The policies a file describes; `time_zone` is the merchant's, for a file that names none.

    Raises PolicyFileError with all of its problems at once.
    """
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers too long and brackets too deep are not TOML's own
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else len(text.splitlines())
        raise PolicyFileError([Problem(line, "the file", str(error))]) from None
    lines = _lines(text)
    problems: list[Problem] = []
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    entries = content.pop("segment", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise PolicyFileError(
            [Problem(lines.get(("segment",), 1), "segment", "write [[segment]] with two brackets")]
        )
    content.setdefault("time_zone", time_zone)
    base = _policy(content, f"{version}/base", (), lines, problems)
    segments = [
        _segment(entry, index, content, version, lines, problems) for index, entry in enumerate(entries)
    ]
    names = [segment.name for segment in segments if segment]
    for index, name in enumerate(names):
        if name in names[:index]:
            problems.append(
                Problem(
                    _line(("segment", index, "name"), lines), f"segment[{index}].name", f"{name!r} is taken"
                )
            )
    if problems or base is None:
        raise PolicyFileError(problems)
    return PolicyBook(base, tuple(segment for segment in segments if segment))


def _segment(
    entry: dict[str, Any],
    index: int,
    base: dict[str, Any],
    version: str,
    lines: dict[Path, int],
    problems: list[Problem],
) -> Segment | None:
    path: Path = ("segment", index)
    own = dict(entry)
    name, when = own.pop("name", None), own.pop("when", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        problems.append(
            _problem((*path, "name"), 'give it a name of a-z, 0-9, - and _, such as "annual"', lines)
        )
        name = str(index)
    match = None
    if when is None:
        problems.append(
            _problem((*path, "when"), 'say when it applies, such as { interval = "year" }', lines)
        )
    else:
        try:
            match = Match.model_validate(when)
        except ValidationError as error:
            problems += _problems(error, (*path, "when"), lines, Match)
    policy = _policy(_over(base, own), f"{version}/{name}", path, lines, problems, own)
    return Segment(name, match, policy) if match and policy else None


def _over(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """A segment's own values over those for everybody; of a table such as `ladder` only what it names."""
    tables = {name: base[name] | value for name, value in own.items() if _both_tables(base.get(name), value)}
    return base | own | tables


def _both_tables(one: object, other: object) -> bool:
    return isinstance(one, dict) and isinstance(other, dict)


def _policy(
    values: dict[str, Any],
    key: str,
    path: Path,
    lines: dict[Path, int],
    problems: list[Problem],
    own: dict[str, Any] | None = None,
) -> Policy | None:
    """`own` are the values of this table itself: problems of the base are told once, at the base."""
    if "key" in values:
        problems.append(_problem((*path, "key"), "is given by the program", lines))
        return None
    try:
        return Policy.model_validate(values | {"key": key})
    except ValidationError as error:
        problems += _problems(error, path, lines, Policy, own)
        return None


def _problems(
    error: ValidationError,
    path: Path,
    lines: dict[Path, int],
    kind: type[BaseModel],
    own: dict[str, Any] | None = None,
) -> list[Problem]:
    return [
        _problem((*path, *each["loc"]), _message(each, kind), lines)
        for each in error.errors()
        if own is None or not _inherited(each["loc"], own)
    ]


def _inherited(place: Path, own: Any) -> bool:
    """Whether what is wrong was said for everybody, not in this table."""
    # The one rule that looks at a policy as a whole is about its warnings.
    for part in place or ("final_warnings",):
        if not isinstance(own, dict):
            return False
        if part not in own:
            return True
        own = own[part]
    return False


def _message(error: Any, kind: type[BaseModel]) -> str:
    if error["type"] == "extra_forbidden":
        for table in error["loc"][:-1]:
            kind = kind.model_fields[table].annotation  # type: ignore[assignment]  # only a table holds unknown keys
        known = sorted(set(kind.model_fields) - {"key"})
        return f"is not known here; known are {', '.join(known)}"
    if error["type"] == "tuple_type":
        return 'write a list, such as ["72h", "24h"]'
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _problem(path: Path, message: str, lines: dict[Path, int]) -> Problem:
    return Problem(_line(path, lines), _spell(path), message)


def _line(path: Path, lines: dict[Path, int]) -> int:
    """Of the key itself, or of the nearest table around it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _spell(path: Path) -> str:
    words = ""
    for part in path:
        words += f"[{part}]" if isinstance(part, int) else f".{part}"
    return words.lstrip(".") or "the file"


def _lines(text: str) -> dict[Path, int]:
    """Where each table and key stands. Keys of inline tables stand on their table's line."""
    found: dict[Path, int] = {}
    table: Path = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            names = tuple(part.strip().strip('"') for part in header[2].split("."))
            if header[1] == "[[":
                counts[names[0]] = counts.get(names[0], -1) + 1
            table = (names[0], counts[names[0]], *names[1:]) if names[0] in counts else names
            found[table] = number
        elif key := _KEY.match(line):
            path: Path = (*table, *(part.strip('"') for part in key[1].split(".")))
            found.setdefault(path, number)
    return found
