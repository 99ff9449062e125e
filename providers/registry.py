"""Which module speaks for which source. Adding a billing system adds a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from providers import commet, standard, stripe
from providers.lookup import MalformedEventError, Normalised

NORMALISERS: Mapping[str, Callable[[Mapping[str, Any]], Normalised]] = {
    stripe.SOURCE: stripe.normalise,
    commet.SOURCE: commet.normalise,
}


def normalise(source: str, payload: Any) -> Normalised:
    """What a stored event of `source` says. A source without a module of its own speaks the neutral format.

    Raises MalformedEventError.
    """
    if not isinstance(payload, Mapping):
        raise MalformedEventError(f"a {type(payload).__name__} is not an event")
    return NORMALISERS.get(source, standard.normalise)(payload)
