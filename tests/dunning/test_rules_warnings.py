"""Final warnings: when they come, and what is done at the provider when nobody listened."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dunning.access import Level
from dunning.account import Account
from dunning.events import CustomerFact
from dunning.policy import Policy
from dunning.receipts import with_access_taken
from dunning.steps import Effect, Kind, Plan, Step
from tests.dunning.builders import (
    account,
    customer,
    day,
    failures,
    planned,
    step,
    subscription,
    warning,
    why,
)
from tests.dunning.more_builders import NEW_YORK, called, local, policy, wall

W72, W24, REVOKE = "final_warning:in_1:72h", "final_warning:in_1:24h", "access:in_1:revoked"


def due(found: Plan, which: str) -> datetime | None:
    planned_step = step(found, which)
    return planned_step.due_at if planned_step else None


@pytest.mark.parametrize(
    ("done", "first", "second"),
    [
        ([], 11.6, None),
        ([warning(11)], None, 13),
        ([warning(11.5)], None, 13.5),
        ([warning(11, status="pending")], None, None),
        ([warning(11, status="failed")], None, 13),
        ([warning(11, status="unknown")], None, 13),
    ],
)
def test_the_second_warning_follows_the_first(
    done: list[Effect], first: float | None, second: float | None
) -> None:
    """It counts back from the end that the first has promised."""
    found = planned(account(failures(0)), 11.6, *done)
    assert due(found, W72) == (None if first is None else day(first))
    assert due(found, W24) == (None if second is None else day(second))


@pytest.mark.parametrize(
    ("first_failure", "now", "told"),
    [
        # The clocks go forward on the 8th: noon becomes one, eleven at night becomes midnight.
        ("2026-03-02 12:00", None, "Fri 13 Mar 13:00"),
        # A warning at night comes the evening before.
        ("2026-03-02 23:00", None, "Fri 13 Mar 19:59"),
        ("2026-03-02 06:00", None, "Thu 12 Mar 19:59"),
        ("2026-03-02 23:00", "2026-03-13 19:59:30", "Fri 13 Mar 19:59"),
        # It is late already, and need not wake anybody up.
        ("2026-03-02 23:00", "2026-03-14 03:00", "Sat 14 Mar 09:00"),
        ("2026-03-02 12:00", "2026-03-15 12:00", "Sun 15 Mar 12:00"),
    ],
)
def test_a_warning_comes_before_the_night_and_a_late_one_after_it(
    first_failure: str, now: str | None, told: str
) -> None:
    """New York's night; the merchant is awake at any hour."""
    rules = policy(mail_hours="daily 09:00-20:00")
    opened = (local(first_failure, NEW_YORK) - day(0)) / timedelta(days=1)
    known = account(customer(0, country="US"), failures(opened), policy=rules)
    found = planned(known, local(now or first_failure, NEW_YORK), policy=rules)
    at = due(found, W72)
    assert at is not None
    assert wall(at, NEW_YORK) == told


def ended(action: str, *facts: CustomerFact) -> tuple[Account, Policy]:
    rules = policy(end_action=action)
    taken = Step(Kind.ACCESS, REVOKE, "revoked", "in_1", day(14), "")
    return with_access_taken(account(failures(0), facts, policy=rules), taken, day(14), Level.WARNED), rules


@pytest.mark.parametrize("action", ["cancel", "unpaid", "pause"])
def test_what_is_done_at_the_provider(action: str) -> None:
    """Once our own grace has ended, in the same moment."""
    known, rules = ended(action)
    found = step(planned(known, 14, policy=rules), f"end:in_1:{action}")
    assert found is not None
    assert (found.kind, found.name, found.due_at) == (Kind.END, action, day(14))


def test_nothing_is_done_at_the_provider_before_the_end_or_twice() -> None:
    """Nor where the policy wants nothing, or the provider has done it by itself."""
    known, rules = ended("cancel", subscription(13, "unpaid"))
    assert (
        why(planned(known, 14, policy=rules), "end:in_1:cancel")
        == "the provider has stopped the subscription itself"
    )
    for plan in (
        planned(account(failures(0), policy=rules), 13, warning(11), policy=rules),
        planned(ended("none")[0], 14, policy=policy()),
        planned(ended("cancel")[0], 14, replace(called("cancel", 14), key="end:in_1:cancel"), policy=rules),
    ):
        assert not [each for each in plan.steps if each.kind is Kind.END]
