"""Revocation receipts: what was taken is written down, so that exactly that is given back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from dunning.access import Level
from dunning.account import Account, Case, Outcome
from dunning.plan import access_step_level
from dunning.steps import Step
from dunning.values import changed

GIVEN_BACK_BY = (Outcome.RECOVERED, Outcome.FORGIVEN)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one case has cost its customer, and since when. `level` is what was left of access."""

    subscription: str
    before: str | None
    level: str
    limited_at: datetime | None
    taken_at: datetime | None


def with_access_taken(account: Account, step: Step, at: datetime, before: Level) -> Account:
    """The account after an ACCESS step at `at`; `before` is the level the customer had until then."""
    case, level = account.cases[step.case], access_step_level(step)
    if step.key.startswith("restriction:"):
        case = changed(case, limited_at=at, taken_from=before.value)
    else:
        first = case.taken_from or before.value
        case = changed(case, taken_at=at, taken_level=level.value, taken_from=first)
    return changed(account, cases=MappingProxyType({**account.cases, step.case: case}))


def receipt(case: Case) -> Receipt | None:
    """What the case has taken, or None where it has taken nothing."""
    if case.taken_at is None and case.limited_at is None:
        return None
    level = case.taken_level or Level.LIMITED.value
    return Receipt(case.subscription, case.taken_from, level, case.limited_at, case.taken_at)


def given_back(before: Case | None, after: Case) -> Receipt | None:
    """The receipt that a payment, or a person who forgives, has just redeemed."""
    redeemed = after.outcome in GIVEN_BACK_BY and (before is None or before.outcome not in GIVEN_BACK_BY)
    return receipt(after) if redeemed else None
