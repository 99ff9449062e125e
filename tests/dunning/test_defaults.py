"""The policies nobody had to write: how much time which kind of plan has."""

from datetime import timedelta

import pytest

from dunning.defaults import default_book
from dunning.policy import Policy
from tests.dunning.builders import INVOICE, day, failures, mirror, subscription
from tests.dunning.more_builders import days


def policy_for(base: Policy, interval: str | None, trial_end: float | None = None) -> Policy:
    seen = subscription(0.1, interval=interval, trial_end=None if trial_end is None else day(trial_end))
    known = mirror(failures(0), seen)
    return default_book(base).choose(known, known.invoices[INVOICE])


@pytest.mark.parametrize(
    ("interval", "trial_end", "key", "grace", "limited", "notices"),
    [
        ("month", None, "settings", 14, 10, [14]),
        (None, None, "settings", 14, 10, [14]),
        ("day", None, "settings", 14, 10, [14]),
        ("week", None, "settings/weekly", 3.5, None, [14]),
        ("year", None, "settings/annual", 21, 17, [14, 3]),
        ("month", 0, "settings/trial-conversion", 3, None, [14]),
        ("month", -3, "settings/trial-conversion", 3, None, [14]),
        ("month", -3.01, "settings", 14, 10, [14]),
        ("month", 0.01, "settings", 14, 10, [14]),
        ("year", 0, "settings/trial-conversion", 3, None, [14]),
        ("week", 0, "settings/trial-conversion", 3, None, [14]),
    ],
)
def test_each_kind_of_plan_has_its_time(
    interval: str | None,
    trial_end: float | None,
    key: str,
    grace: float,
    limited: float | None,
    notices: list[float],
) -> None:
    """Much for a year, little for a week, least for a trial that has just become a plan."""
    found = policy_for(Policy(), interval, trial_end)
    assert (found.key, days(found.grace), days(found.limited_after)) == (key, grace, limited)
    assert [days(each) for each in found.card_expiry_notice] == notices


@pytest.mark.parametrize(
    ("base", "month", "week", "year", "trial"),
    [(2, 2, 2, 21, 2), (3, 3, 3, 21, 3), (14, 14, 3.5, 21, 3), (30, 30, 3.5, 30, 3)],
)
def test_the_grace_of_the_base_bounds_the_others(
    base: float, month: float, week: float, year: float, trial: float
) -> None:
    """The least for a year, the most for what has only just begun."""
    settings = Policy(grace=timedelta(days=base))
    found = [policy_for(settings, *kind) for kind in (("month",), ("week",), ("year",), ("month", 0.0))]
    assert [days(each.grace) for each in found] == [month, week, year, trial]


def test_all_else_is_the_bases() -> None:
    """Segments differ in time alone."""
    base = Policy(at_expiry="limited", escalate_after=5, time_zone="Europe/Berlin", key="3f9c/base")
    for interval in ("week", "month", "year"):
        found = policy_for(base, interval)
        assert (found.at_expiry, found.escalate_after, found.time_zone) == ("limited", 5, "Europe/Berlin")
        assert found.key.startswith("3f9c/base")
        assert Policy.model_validate_json(found.model_dump_json()) == found
