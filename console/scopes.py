"""What a key of the API may be used for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """Each stands for itself: none includes another."""

    ACCESS = "access"
    CASES = "cases"
    ACT = "act"
    FIGURES = "figures"
    WEBHOOKS = "webhooks"


MEANINGS: Final[Mapping[Scope, str]] = {
    Scope.ACCESS: "ask whether a customer has access, and for their banner",
    Scope.CASES: "read the cases: who owes what, what was done, what comes next",
    Scope.ACT: "decide about cases: pause, extend, stop, forgive, and so on",
    Scope.FIGURES: "read the figures",
    Scope.WEBHOOKS: "see and change where events are sent to",
}
