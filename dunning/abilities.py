"""What a billing system can be asked to do, so that no rule and no page offers what it cannot."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    # The receiver reads what billing systems are able to do, and does without the library of policies.
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


def everything(source: str) -> frozenset[Ability]:
    """For whoever imagines a billing system."""
    return EVERYTHING


def within(policy: Policy, can: frozenset[Ability]) -> Policy:
    """The policy without what a billing system cannot do: then it charges by itself, and ends by itself."""
    changes: dict[str, object] = {}
    if Ability.CHARGE not in can:
        changes |= {"retries": "provider", "pay_on_new_method": False}
    if Ability.END not in can:
        changes |= {"end_action": "none", "unpaid_on_return": "keep"}
    return policy.model_copy(update=changes) if changes else policy
