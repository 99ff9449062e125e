"""A life that the worker has led is led again by a replay of what is stored of it."""

from __future__ import annotations

from datetime import datetime

import pytest

from db import accounts
from dunning.account import Account
from dunning.replay import replay
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

DECIDED = ("mail.decided", "team.called", "access.taken", "retry.decided", "end.decided")
# Failures are at ten, and what waits for working or waking hours comes at nine.
STOPS = [day + hour / 24 for day in range(17) for hour in (0, 23)]


def stored(story: Story) -> Account:
    """The customer's mirror, as a comparison of policies reads it."""

    async def load() -> Account:
        async with story.world.services.engine.connect() as connection:
            [found] = (await accounts.load(connection, [1], facts_only=True)).values()
            return found.account

    return story.world.run(load())


def done(story: Story) -> list[tuple[str, datetime]]:
    """What the worker did, and when."""
    return [(entry.data["step"], entry.at) for entry in story.journal() if entry.kind in DECIDED]


@pytest.mark.parametrize(
    ("outcomes", "pays"),
    [(("insufficient_funds",), False), (("expired_card", "expired_card", "ok"), True)],
    ids=["never paid", "paid"],
)
def test_the_past_repeats_itself(world: World, outcomes: tuple[str, ...], pays: bool) -> None:
    """The same steps at the same hours, by the same policy."""
    story = subscriber(world, *outcomes).until(16.5, stops=STOPS)
    again = replay(stored(story), world.services.policy)
    worker = done(story)
    assert sorted((step.key, step.due_at) for step in again if step.due_at <= story.now) == sorted(worker)
    assert ("recovered" in {key.partition(":")[0] for key, _ in worker}) is pays
