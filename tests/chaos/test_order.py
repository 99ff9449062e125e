"""F10: whatever Stripe tells, in thousands of lives, orders and duplicates: the properties of every push."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from dunning.policy import Policy
from tests.chaos.conftest import Tell
from tests.dunning.deeds import Action
from tests.dunning.stories import Setting
from tests.dunning.test_properties import LIVES, order_changes_nothing, the_last_writer_is_right

CASES = 5_000
AT_LENGTH = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def cases_until(holds: Callable[[Setting, Policy, list[Action], int], None]) -> tuple[int, bool]:
    """How many lives were tried, and whether it held in all of them."""
    tried = 0

    @AT_LENGTH
    @given(**LIVES)
    def each(setting: Setting, policy: Policy, course: list[Action], seed: int) -> None:
        nonlocal tried
        tried += 1
        holds(setting, policy, course, seed)

    try:
        each()
    except AssertionError:
        return tried, False
    return tried, True


@pytest.mark.only_long
def test_order_and_duplicates_change_nothing_in_thousands_of_lives(tell: Tell) -> None:
    """And a fold in which the last writer wins is found out, or the lives would prove nothing."""
    tried, held = cases_until(order_changes_nothing)
    until, escaped = cases_until(
        lambda setting, _, course, seed: the_last_writer_is_right(setting, course, seed)
    )
    tell("F10", cases=tried, counterexamples=int(not held), control="last writer wins", falsified_after=until)
    assert held
    assert tried >= CASES
    assert not escaped
