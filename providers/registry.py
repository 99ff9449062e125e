"""Which module speaks for which source. Adding a billing system adds a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from providers import commet, stripe
from providers.commet import facts as commet_facts
from providers.lookup import MalformedEventError, Normalised
from providers.neutral import facts as neutral_facts
from providers.stripe import facts as stripe_facts

NORMALISERS: Mapping[str, Callable[[Mapping[str, Any]], Normalised]] = {
    stripe.SOURCE: stripe_facts.normalise,
    commet.SOURCE: commet_facts.normalise,
}


def normalise(source: str, payload: Any) -> Normalised:
    """What a stored event of `source` says. A source without a module of its own speaks the neutral format.

    Raises MalformedEventError.
    """
    if not isinstance(payload, Mapping):
        raise MalformedEventError(f"a {type(payload).__name__} is not an event")
    return NORMALISERS.get(source, neutral_facts.normalise)(payload)
