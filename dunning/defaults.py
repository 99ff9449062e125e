"""The policy nobody had to write: what most teams start from, by kind of customer."""

from __future__ import annotations

from datetime import timedelta

from dunning.policy import Policy
from dunning.segments import Match, PolicyBook, Segment

A_DAY = timedelta(days=1)


def default_book(base: Policy) -> PolicyBook:
    """`base` for monthly plans, with more time where more is at stake and less where little was granted.

    The grace of `base` is the least that an annual plan gets, and the most that anybody gets for what has
    only just begun: a trial that turned into a plan, and a plan that bills by the week.
    """
    week = min(base.grace, timedelta(days=3, hours=12))
    segments = (
        Segment("trial-conversion", Match(trial_conversion=True), _with(base, "trial-conversion", 3 * A_DAY)),
        Segment("weekly", Match(interval=frozenset({"week"})), _with(base, "weekly", week)),
        Segment("annual", Match(interval=frozenset({"year"})), _annual(base)),
    )
    return PolicyBook(base, segments)


def _with(base: Policy, name: str, grace: timedelta) -> Policy:
    """A short grace has no room for a limit before its end."""
    return base.model_copy(
        update={"key": f"{base.key}/{name}", "grace": min(base.grace, grace), "limited_after": None}
    )


def _annual(base: Policy) -> Policy:
    return base.model_copy(
        update={
            "key": f"{base.key}/annual",
            "grace": (grace := max(base.grace, 21 * A_DAY)),
            # As long before the end as for a monthly plan.
            "limited_after": grace - (base.grace - base.limited_after) if base.limited_after else None,
            "card_expiry_notice": (14 * A_DAY, 3 * A_DAY),
        }
    )
