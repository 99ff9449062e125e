"""The days on which somebody hears from us, if every mail reaches them."""

from __future__ import annotations

from datetime import timedelta

from dunning.account import Account
from dunning.plan import plan
from dunning.policy import Policy
from dunning.steps import Effect, Kind
from tests.dunning.builders import DAY0, POLICY, day, effect


def told_on(known: Account, name: str, *, policy: Policy = POLICY) -> list[float]:
    """The days, to the quarter, on which mails of this name are due to somebody whom all of them reach."""
    done: dict[str, Effect] = {}
    for quarter in range(4 * 20):
        now = day(quarter / 4)
        while due := [each for each in plan(known, done, policy, now).due(now) if each.kind is Kind.MAIL]:
            first = due[0]
            done[first.key] = effect(first.key, quarter / 4, name=first.name, case=first.case)
    return [(each.created_at - DAY0) / timedelta(days=1) for each in done.values() if each.name == name]
