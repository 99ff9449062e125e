"""A case that is moved to another policy: its customer hears of the new end, once, and of no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from db.accounts import Loaded
from dunning.account import Account, Case
from dunning.instructions import Verb
from dunning.requests import Request
from sandbox.stripe import custom_schedule
from tests.dunning.builders import account, day, failures, history, warning
from tests.dunning.more_builders import policy, seen
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World
from tests.worker.breaking import commit
from tests.worker.plain import plain
from worker.queues import MAIL
from worker.usecases.move_policy import Move, move_policy, moved

LEFT_TO_US = custom_schedule(3, at_end="past_due")
A_DAY = timedelta(days=1)


def move(world: World, **changes: Any) -> list[Move]:
    """Somebody moves the first customer to such a policy."""
    moves = commit(
        world,
        lambda connection: move_policy(
            connection, 1, policy=plain(**changes), by="maria", why="more time", now=world.now
        ),
    )
    world.tick()
    return moves


def debtor(world: World, until: float) -> Story:
    return subscriber(world, "do_not_honor", retries=LEFT_TO_US).until(until)


def warnings(story: Story) -> list[int]:
    """The days on which a final warning came."""
    return [int(on) for on, name in story.mails() if name.startswith("final_warning")]


def ended(story: Story) -> list[int]:
    return [int(on) for on, level, _ in story.access() if level == "revoked"]


def account_with(known: Account, case: Case) -> Account:
    return replace(known, cases={case.invoice: case})


def test_whoever_was_warned_is_warned_of_the_later_end(world: World) -> None:
    """Told the 14th day and given until the 21st, they hear of the 21st three days and one day before."""
    story = debtor(world, 12)
    [done] = move(world, grace="21d")
    assert done.ends_at - done.ended_at == 7 * A_DAY
    story.until(25)
    assert (warnings(story), ended(story)) == ([11, 18, 20], [21])


def test_each_move_is_warned_of_once(world: World) -> None:
    """Moved, extended, and moved again: one pair of warnings for the end that comes of it."""
    story = debtor(world, 12)
    move(world, grace="21d")
    world.tell(story.customer, Request(Verb.EXTEND, "maria", "a week", story.invoice.id, span=2 * A_DAY))
    move(world, grace="22d")
    story.until(30)
    assert (warnings(story), ended(story)) == ([11, 21, 23], [24])


@pytest.mark.parametrize("changes", [{"grace": "3d"}, {"escalate_after": 2}], ids=list)
def test_whoever_was_warned_is_not_warned_twice_of_the_same_end(
    world: World, changes: dict[str, Any]
) -> None:
    """A policy with less patience keeps the end that was promised, so there is nothing to say."""
    story = debtor(world, 12)
    [done] = move(world, **changes)
    assert done.ends_at == done.ended_at
    story.until(20)
    assert (warnings(story), ended(story)) == ([11, 13], [14])


def test_a_warning_that_still_waits_speaks_of_the_new_end(make_world: MakeWorld) -> None:
    """It was decided before the move and not sent yet."""
    world = make_world(policy=plain())
    story = debtor(world, 10.9)
    world.held = {MAIL}
    story.until(11.1)
    move(world, grace="21d")
    world.held = set()
    world.machine_time(timedelta(minutes=1))
    story.until(25)
    assert (warnings(story), ended(story)) == ([18, 20], [21])


@pytest.mark.parametrize("hour", range(0, 24 * 7, 5))
def test_a_promised_end_is_kept_to_the_second_in_any_hours(hour: int) -> None:
    """The new grace may end on a Friday evening, and what was promised be a Thursday: it is that Thursday."""
    office = policy(revocation_hours="mon-thu 09:00-15:00", final_warnings=["72h"])
    opened = hour / 24
    known = account(failures(opened), policy=office)
    early = warning(opened + 10)
    before = seen(known, opened + 10.1, early, rules=office)
    wanted = policy(office, grace="3d", key="hasty")
    loaded = Loaded(1, known, history(early))
    case = moved(known, loaded, office, known.cases["in_1"], wanted, day(opened + 10.1))
    after = seen(account_with(known, case), opened + 10.1, early, rules=wanted)
    assert after.ends_at == before.ends_at
