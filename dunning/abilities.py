"""What a billing system can be asked to do, so that no rule and no page offers what it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from dunning.policy import Policy


class Ability(StrEnum):
    """`CHARGE` what is on file; `PAGES` of its own, where an invoice is paid and a method given; `END` a
    subscription, or void what it has left open; `SELL` again what has ended.
    """

    CHARGE = "charge"
    PAGES = "pages"
    END = "end"
    SELL = "sell"


EVERYTHING: Final = frozenset(Ability)
NOTHING: Final[frozenset[Ability]] = frozenset()

# By source. One that is not here only tells: it sends events, and whoever wants to pay goes where they say.
ABILITIES: Final[Mapping[str, frozenset[Ability]]] = {"stripe": EVERYTHING}


def abilities_of(source: str) -> frozenset[Ability]:
    """What the billing system of this source can do."""
    return ABILITIES.get(source, NOTHING)


def within(policy: Policy, source: str) -> Policy:
    """The policy without what the source cannot do: it charges by itself, and ends by itself."""
    can = abilities_of(source)
    changes: dict[str, object] = {}
    if Ability.CHARGE not in can:
        changes |= {"retries": "provider", "pay_on_new_method": False}
    if Ability.END not in can:
        changes |= {"end_action": "none", "unpaid_on_return": "keep"}
    return policy.model_copy(update=changes) if changes else policy
