"""Attributes that are worked out when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801  # reads like `property`
    """`functools.cached_property` without the lock that Python 3.11 takes, which costs more than our rules.

    For values that never change; the class needs a `__dict__`.
    """

    def __init__(self, work: Callable[[Any], T]) -> None:
        self._work = work
        self._name = work.__name__
        self.__doc__ = work.__doc__

    @overload
    def __get__(self, of: None, kind: type[Any]) -> lazy[T]: ...

    @overload
    def __get__(self, of: object, kind: type[Any]) -> T: ...

    def __get__(self, of: object | None, kind: type[Any]) -> lazy[T] | T:
        if of is None:
            return self
        found = of.__dict__[self._name] = self._work(of)
        return found


def altered(of: T, **values: Any) -> T:
    """The same with these values, and with what was worked out so far: nothing of that may depend on them."""
    other: T = object.__new__(type(of))
    other.__dict__.update(of.__dict__, **values)
    return other
