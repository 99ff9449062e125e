"""A policy by which days count exactly, for what the worker does, whatever the rules are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dunning.ladders import Ladder
from dunning.policy import Policy
from tests.dunning.builders import POLICY

# Told on the days on which Stripe charges by default in these tests.
TOLD = tuple(timedelta(days=day) for day in (0, 3, 8))
PLAIN = POLICY.model_copy(update={"ladder": Ladder(insufficient_funds=TOLD)})


def plain(**changes: Any) -> Policy:
    """The plain policy with some of its values changed."""
    return Policy.model_validate(PLAIN.model_dump() | changes)
