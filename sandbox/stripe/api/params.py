"""Stripe's form parameters: `payment[type]=x`, `types[]=a`, `items[0][price]=p`."""

import re
from collections.abc import Iterable
from typing import Any

from sandbox.stripe.errors import ApiError

_BRACKET = re.compile(r"\[([^\]]*)\]")


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Nested dicts and lists of strings, as the brackets say; raises ApiError where they contradict."""
    tree: dict[str, Any] = {}
    for key, value in pairs:
        path = [key.partition("[")[0], *_BRACKET.findall(key)]
        node: Any = tree
        for step in path[:-1]:
            node = node.setdefault(step or str(len(node)), {})
            if not isinstance(node, dict):
                raise ApiError.invalid(f"Invalid object: {key}", param=path[0])
        node[path[-1] or str(len(node))] = value
    return {key: _lists(value) for key, value in tree.items()}


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _lists(value) for key, value in node.items()}


class Params:
    """The parameters of one request; every reader raises ApiError (400) for a value of the wrong kind."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def only(self, *names: str) -> None:
        """Refuse a parameter that this endpoint does not have; `expand` is known everywhere."""
        for name in self.values:
            if name not in names and name != "expand":
                raise ApiError.invalid(
                    f"Received unknown parameter: {name}", code="parameter_unknown", param=name
                )

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str) -> str | None:
        """None when absent; the empty string unsets a value."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise ApiError.invalid(f"Invalid string: {value}", param=name)
        return value

    def required(self, name: str) -> str:
        """A parameter without which nothing can be done."""
        value = self.text(name)
        if not value:
            raise ApiError.invalid(f"Missing required param: {name}.", code="parameter_missing", param=name)
        return value

    def url(self, name: str) -> str | None:
        """An absolute web address."""
        value = self.text(name)
        if value and not value.startswith(("http://", "https://")):
            raise ApiError.invalid("Not a valid URL", code="url_invalid", param=name)
        return value or None

    def required_url(self, name: str) -> str:
        """A web address without which nothing can be done."""
        self.required(name)
        return self.url(name) or ""

    def integer(self, name: str) -> int | None:
        """A whole number."""
        value = self.text(name)
        if value is None:
            return None
        if not value.lstrip("-").isdigit():
            raise ApiError.invalid(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
        return int(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """`true` or `false`."""
        value = self.text(name)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            raise ApiError.invalid(f"Invalid boolean: {value}", param=name)
        return value.lower() == "true"

    def group(self, name: str) -> "Params":
        """Nested parameters, empty when absent."""
        value = self.values.get(name, {})
        if not isinstance(value, dict):
            raise ApiError.invalid("Invalid object", param=name)
        return Params(value)

    def each(self, name: str) -> list[Any]:
        """An array, empty when absent."""
        value = self.values.get(name, [])
        if not isinstance(value, list):
            raise ApiError.invalid("Invalid array", param=name)
        return value

    def metadata(self, current: dict[str, str]) -> dict[str, str]:
        """Metadata after this request: new values are merged in, an empty one removes its key."""
        merged = current | self.group("metadata").values
        return {key: value for key, value in merged.items() if value != ""}
