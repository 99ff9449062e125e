"""Values that are made by the million."""

from __future__ import annotations

from dataclasses import field, fields, make_dataclass
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


def lean(kind: type[T]) -> type[T]:
    """Put on a frozen dataclass, makes its values as quickly as those of one that is not.

    Python holds that nobody changes a frozen value by a detour for each field of each new one, which costs
    more than our rules. The type checker holds it as well, and costs nothing.
    """
    same: list[Any] = [
        (each.name, each.type, field(default=each.default, default_factory=each.default_factory))
        for each in fields(kind)  # type: ignore[arg-type]  # a dataclass, which no type can say
    ]
    kind.__init__ = make_dataclass(kind.__name__, same).__init__  # type: ignore[method-assign,misc]  # as said
    del kind.__setattr__, kind.__delattr__
    return kind


def quick(kind: type[E]) -> type[E]:
    """Put on an enumeration, makes its members attributes like others, as they are from Python 3.12 on.

    Before, each `Kind.MAIL` calls a function, and rules compare kinds all the time.
    """
    for name, member in kind.__members__.items():
        type.__setattr__(kind, name, member)
    return kind
