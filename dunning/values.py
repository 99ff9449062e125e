"""Values that are made by the million."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, fields, make_dataclass
from enum import Enum
from operator import attrgetter
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


# Of each kind of value, what its fields are called and how all of them are read at once.
_FIELDS: dict[type[Any], tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]] = {}


def changed(value: T, **values: Any) -> T:
    """`dataclasses.replace` for two fields or more that are all given to `__init__`, several times as quick.

    Raises TypeError for a name that is no field.
    """
    kind = type(value)
    if kind not in _FIELDS:
        names = tuple(each.name for each in fields(kind))  # type: ignore[arg-type]  # a dataclass, as above
        _FIELDS[kind] = names, attrgetter(*names)
    names, read = _FIELDS[kind]
    return kind(**dict(zip(names, read(value), strict=True)) | values)


def quick(kind: type[E]) -> type[E]:
    """Put on an enumeration, makes its members attributes like others, as they are from Python 3.12 on.

    Before, each `Kind.MAIL` calls a function, and rules compare kinds all the time.
    """
    for name, member in kind.__members__.items():
        type.__setattr__(kind, name, member)
    return kind
