"""The last guard before a log line: no address, amount, payload or secret gets out."""

import re
from collections.abc import Mapping
from functools import lru_cache

from pydantic import SecretBytes, SecretStr
from structlog.typing import EventDict, WrappedLogger

REDACTED = "[redacted]"

_WORDS = (
    "email",
    "address",
    "amount",
    "payload",
    "body",
    "secret",
    "token",
    "url",
    "password",
    "authorization",
)
_FORBIDDEN = frozenset(word + ending for word in _WORDS for ending in ("", "s", "es"))
_FORBIDDEN_NAMES = frozenset({"api_key", "dsn", "stripe_signature"})
_HARMLESS_ENDINGS = ("_id", "_ids", "_count")

# What slips into exception texts and libraries' messages: credentials in URLs, keys of Stripe's and of ours,
# mail addresses.
_LEAKS = re.compile(
    r"(?<=://)[^/\s@]+@"
    r"|\b(?:sk|rk|pk)_(?:live|test)_\w+"
    r"|\bwhsec_\w+"
    r"|\bdk_[\w-]+"
    r"|[\w.+'-]+@[\w-]+(?:\.[\w-]+)*"
)


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A structlog processor: forbidden fields lose their value, other texts lose what looks like a leak."""
    return {name: _clean(name, value) for name, value in event.items()}


@lru_cache(maxsize=1024)
def _is_forbidden(name: str) -> bool:
    name = name.lower()
    if name.endswith(_HARMLESS_ENDINGS):
        return False
    return name in _FORBIDDEN_NAMES or not _FORBIDDEN.isdisjoint(name.split("_"))


def _clean(name: str, value: object) -> object:
    # structlog's own bookkeeping (_record, _from_structlog) is removed before rendering.
    if name.startswith("_"):
        return value
    if _is_forbidden(name):
        return REDACTED
    return _clean_value(value)


def _clean_value(value: object) -> object:
    match value:
        case str():
            return _without_leaks(value)
        case bool() | int() | float() | None:
            return value
        case SecretStr() | SecretBytes():
            return REDACTED
        case Mapping():
            return {key: _clean(str(key), item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean_value(item) for item in value]
        case _:
            return _without_leaks(str(value))


def _without_leaks(text: str) -> str:
    # Whatever leaks has one of these, and to look for them costs a tenth of the whole search.
    return _LEAKS.sub(REDACTED, text) if "@" in text or "k_" in text or "whsec_" in text else text
