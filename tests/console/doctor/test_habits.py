"""What the doctor learns of Stripe's settings from stories that were lived, and from the newest events."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.doctor import habits
from console.doctor.finding import Level
from db.habits import Habits, read
from sandbox.stripe import OLD, RetryPolicy, custom_schedule
from tests.console.doctor.looking import found, said
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import subscriber
from tests.scenarios.world import World

QUIET = Habits(
    cases=4,
    window=timedelta(days=9),
    outlasted=0,
    cut_short=0,
    cancelled=0,
    unpaid=0,
    paused=0,
    never_charged=0,
    silence=timedelta(hours=1),
    strangers=0,
    versions=["2026-10-28.endive"],
)


def learnt(world: World) -> Habits:
    async def look() -> Habits:
        async with world.services.engine.connect() as connection:
            return await read(connection, livemode=False)

    return world.run(look())


@pytest.mark.parametrize(
    ("retries", "days", "expected"),
    [
        (custom_schedule(1, 1, 1), 5, {"cut_short": 1, "cancelled": 1, "outlasted": 0}),
        (custom_schedule(1, 1, 1, at_end="unpaid"), 5, {"cut_short": 0, "unpaid": 1}),
        (custom_schedule(8, 8, 8), 17, {"cut_short": 0, "cancelled": 0, "outlasted": 1}),
    ],
)
def test_how_long_stripe_retries_and_what_it_does_then(
    make_world: MakeWorld, retries: RetryPolicy, days: int, expected: dict[str, int]
) -> None:
    """Shorter than our grace of two weeks, with both ends, and longer."""
    world = make_world(version=OLD)
    subscriber(world, *["insufficient_funds"] * 9, retries=retries).until(days)
    seen = learnt(world)
    assert {name: getattr(seen, name) for name in expected} == expected
    assert (seen.cases, seen.versions) == (1, [OLD])


def test_class_1_retries_that_were_no_charges(make_world: MakeWorld) -> None:
    """After a hard decline Stripe counts three retries and charges nothing."""
    world = make_world()
    subscriber(world, *["stolen_card"] * 9, retries=custom_schedule(1, 1, 1)).until(4)
    assert learnt(world).never_charged == 1


@pytest.mark.parametrize(
    ("change", "level", "part"),
    [
        ({"outlasted": 2}, Level.RISK, "went on charging after our grace"),
        ({"cut_short": 1}, Level.RISK, "before our grace was over"),
        ({"cancelled": 3}, Level.RISK, "cancels subscriptions"),
        ({"never_charged": 1}, Level.NOTE, "only counted"),
        ({"silence": timedelta(days=4)}, Level.RISK, "for 4 days"),
        ({"silence": None}, Level.NOTE, "no event has ever come"),
        ({"strangers": 7}, Level.RISK, "7 events of the other mode"),
        ({"versions": ["2020-08-27"]}, Level.FAULT, "2020-08-27"),
    ],
)
def test_each_habit_that_does_not_agree_with_ours(change: dict[str, object], level: Level, part: str) -> None:
    """At its level; that nobody can see whether Stripe mails is always noted."""
    findings = habits.judge(replace(QUIET, **change), pages=False)  # type: ignore[arg-type]  # a table
    assert any(part in each for each in said(findings, level))
    assert habits.MAILS in findings


def test_habits_that_agree() -> None:
    """Good news and the note; with a page of ours a cancelled subscription can come back."""
    for calm in (habits.judge(QUIET, pages=False), habits.judge(replace(QUIET, cancelled=3), pages=True)):
        assert [each.level for each in calm] == [Level.GOOD, Level.NOTE]


def test_a_database_that_cannot_be_asked() -> None:
    """Another look says so."""
    assert found(habits.look, DATABASE_URL="postgresql://127.0.0.1:1/dunning") == []
