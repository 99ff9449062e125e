"""All senders there are: each package in this folder that has a `SYSTEM`, found by its folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import providers
from dunning.abilities import Ability
from providers.door import Door
from providers.system import BillingSystem, Secrets, Sender

if TYPE_CHECKING:
    from providers.lookup import Normalised

# It speaks for every source that has no package of its own.
NEUTRAL = "neutral"


@cache
def senders() -> Mapping[str, Sender]:
    """By the name of the package, in alphabetical order. Raises TypeError for a package without a SYSTEM."""
    return {each.name: _system(each.name) for each in iter_modules(providers.__path__) if each.ispkg}


def _system(package: str) -> Sender:
    found = getattr(import_module(f"{providers.__name__}.{package}"), "SYSTEM", None)
    if not isinstance(found, Sender):
        raise TypeError(f"providers/{package} has no SYSTEM that says what it is")
    return found


def billing_systems() -> list[BillingSystem]:
    """Those that tell of customers."""
    return [each for each in senders().values() if isinstance(each, BillingSystem)]


def family_of(source: str) -> str:
    """`stripe` of `stripe:de`."""
    return source.partition(":")[0]


@cache
def _by_family() -> Mapping[str, BillingSystem]:
    return {family: each for each in billing_systems() for family in each.families}


def system_of(source: str) -> BillingSystem:
    """Who speaks for a source."""
    known = _by_family().get(family_of(source))
    if known is not None:
        return known
    neutral = senders()[NEUTRAL]
    assert isinstance(neutral, BillingSystem)  # noqa: S101  # tells mypy
    return neutral


def families() -> frozenset[str]:
    """The names that no source of the neutral format may have."""
    return frozenset(family for each in senders().values() for family in each.families)


def abilities_of(source: str) -> frozenset[Ability]:
    """What the billing system of this source can do."""
    return system_of(source).abilities


def normalise(source: str, payload: Any) -> Normalised:
    """What a stored event of `source` says. Raises MalformedEventError."""
    from providers.lookup import MalformedEventError

    if not isinstance(payload, Mapping):
        raise MalformedEventError(f"a {type(payload).__name__} is not an event")
    return system_of(source).normalise(payload)


def doors(secrets: Secrets) -> Mapping[str, Door]:
    """Those of all who have a secret, by path. Raises ValueError where two want the same path."""
    found: dict[str, Door] = {}
    for each in senders().values():
        theirs = each.doors(secrets)
        if shared := found.keys() & theirs.keys():
            raise ValueError(f"two packages in providers/ want {', '.join(sorted(shared))}")
        found |= theirs
    return found
