"""When too much fails at once, and how many may lose access: numbers in, a sentence or a number out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from dunning.breaker import (
    HOURS,
    Failures,
    Limits,
    Revocations,
    cap_reached,
    enough_base,
    enough_week,
    held_back,
    revocations_left,
    surge,
)
from dunning.steps import Kind, Step

LIMITS = Limits()


@pytest.mark.parametrize(
    ("hour", "usual", "trips"),
    [
        (0, 0.0, False),
        (20, 0.0, False),
        (21, 0.0, True),
        (21, 5.0, True),
        (21, 5.25, False),
        (40, 10.0, False),
        (41, 10.0, True),
        (4000, 1000.0, False),
        (4001, 1000.0, True),
    ],
)
def test_more_than_the_floor_and_four_usual_hours_is_a_surge(hour: int, usual: float, trips: bool) -> None:
    """The floor rules where little usually fails, the factor where much does; one more than allowed trips."""
    assert (surge(Failures(hour, 0, usual), LIMITS) is not None) is trips


@pytest.mark.parametrize(
    ("hour", "errors", "trips"),
    [
        (19, 19, False),
        (20, 6, False),
        (20, 7, True),
        (100, 30, False),
        (100, 31, True),
        (100, 100, True),
    ],
)
def test_a_third_of_processing_errors_is_an_outage(hour: int, errors: int, trips: bool) -> None:
    """However usual the number of failures is; but of a handful nothing can be said."""
    assert (surge(Failures(hour, errors, 1000.0), LIMITS) is not None) is trips


def test_the_reason_is_a_sentence_with_its_numbers() -> None:
    """For the person who is called."""
    assert surge(Failures(90, 0, 10.0), LIMITS) == "90 charges failed within an hour, where 40 are let pass"
    assert surge(Failures(30, 12, 10.0), LIMITS) == (
        "12 of the 30 charges that failed within an hour were processing errors, where 30% are let pass"
    )


@pytest.mark.parametrize(
    ("hour", "day", "base", "left"),
    [
        (0, 0, 0, 25),
        (24, 24, 0, 1),
        (25, 25, 100_000, 0),
        (26, 26, 100_000, 0),
        (0, 24, 1000, 1),
        (0, 25, 1000, 0),
        (0, 99, 4901, 1),
        (0, 100, 4900, 0),
        (0, 80, 4920, 20),
        (5, 70, 4930, 20),
        (6, 70, 4930, 19),
    ],
)
def test_the_tighter_of_both_caps_counts(hour: int, day: int, base: int, left: int) -> None:
    """25 an hour, and 2 % of the base a day, which is an hour's worth at least."""
    assert revocations_left(Revocations(hour, day, base), LIMITS) == left


def test_without_a_cap_everybody_may_go() -> None:
    """0 an hour means no cap, not nobody; the day has none either."""
    assert revocations_left(Revocations(1000, 1000, 10), Limits(revocations_per_hour=0)) is None


def test_the_cap_that_was_reached_is_named() -> None:
    """The customer's story says which."""
    kept = "is reached: access is kept for now"
    assert cap_reached(Revocations(25, 25, 5000), LIMITS) == f"the cap of 25 revocations an hour {kept}"
    assert cap_reached(Revocations(3, 100, 4900), LIMITS) == f"the cap of 100 revocations a day {kept}"


@pytest.mark.parametrize("day", [0, 24, 25, 691])
@pytest.mark.parametrize("share", [0.001, 0.02, 1 / 3, 1.0])
def test_no_more_customers_are_counted_than_matter(day: int, share: float) -> None:
    """With so many the cap of the hour decides, as it does with a million."""
    limits = Limits(revocations_per_day_share=share)
    enough = enough_base(day, 26, limits)
    for hour in (0, 24):
        some, all_there_are = Revocations(hour, day, enough), Revocations(hour, day, 10_000_000)
        assert revocations_left(some, limits) == revocations_left(all_there_are, limits) == 25 - hour


@pytest.mark.parametrize("wanted", [1, 5, 25])
@pytest.mark.parametrize("day", [0, 20, 24])
def test_nobody_is_counted_where_the_day_has_room_anyway(day: int, wanted: int) -> None:
    """So many more may go if nobody else had access; only where they may not, customers matter."""
    enough = enough_base(day, wanted, LIMITS)
    assert (enough == 0) is (day + wanted <= 25)
    left = revocations_left(Revocations(0, day, enough), LIMITS)
    assert left is not None
    assert left >= wanted


@pytest.mark.parametrize("hour", [0, 20, 21, 100, 4999])
def test_no_more_of_the_week_is_counted_than_matters(hour: int) -> None:
    """After so many failures the hour is no surge, nor is it after a million."""
    usual = enough_week(hour, LIMITS) / HOURS
    assert surge(Failures(hour, 0, usual), LIMITS) is None
    assert (surge(Failures(hour, 0, usual - 2 / HOURS), LIMITS) is None) is (hour <= 20)


@pytest.mark.parametrize(
    ("kind", "name", "held"),
    [
        (Kind.MAIL, "payment_failed", True),
        (Kind.MAIL, "final_warning", True),
        (Kind.MAIL, "access_ended", True),
        (Kind.MAIL, "payment_recovered", False),
        (Kind.ACCESS, "revoked", True),
        (Kind.ACCESS, "limited", True),
        (Kind.TEAM, "third_failure", False),
    ],
)
def test_what_customers_would_feel_is_held_back(kind: Kind, name: str, held: bool) -> None:
    """The team is told all the same, and so is whoever has paid."""
    step = Step(kind, "key", name, "in_1", datetime(2026, 1, 1, tzinfo=UTC), "a reason")
    assert held_back(step) is held


@pytest.mark.parametrize(
    "wrong",
    [
        {"surge_floor": 0},
        {"surge_factor": 0.9},
        {"processing_error_share": 0},
        {"processing_error_share": 1.1},
        {"revocations_per_hour": -1},
        {"revocations_per_day_share": 0},
        {"surge_flor": 20},
    ],
)
def test_limits_that_cannot_be_meant_are_refused(wrong: dict[str, float]) -> None:
    """Each number has its bounds, and a misspelt name is no number."""
    with pytest.raises(ValidationError):
        Limits(**wrong)  # type: ignore[arg-type]  # on purpose
