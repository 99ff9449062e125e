"""Which account of Stripe's a source is: the main one, a further one of the settings, or a connected one.

"stripe" is the account of `STRIPE_API_KEY`, "stripe:de" one that the settings name "de", and
"stripe:acct_1Nx" one that is connected to the main account as its platform (Connect): it is asked with the
platform's key and the header `Stripe-Account`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MAIN = "stripe"
CONNECT = "connect"  # the last part of a Connect endpoint's path, so no account may be named so
_CONNECTED = re.compile(r"acct_[A-Za-z0-9]{1,64}")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")


def source_of(name: str) -> str:
    """Of an account's name in the settings, or a connected account's id."""
    return f"{MAIN}:{name}"


def is_connected(name: object) -> bool:
    """Whether this is the id of an account of Stripe's."""
    return isinstance(name, str) and _CONNECTED.fullmatch(name) is not None


def connected_of(source: str) -> str | None:
    """The connected account's id, None for an account with a key of its own."""
    name = source.partition(":")[2]
    return name if is_connected(name) else None


def may_be_named(name: str) -> bool:
    """Whether the settings may name an account so."""
    return _NAME.fullmatch(name) is not None and name != CONNECT and not name.startswith("acct_")


def by_source(lines: Sequence[str]) -> dict[str, list[str]]:
    """Of lines that begin with an account's name, what follows it."""
    return {source_of(name): rest for name, *rest in map(str.split, lines)}
