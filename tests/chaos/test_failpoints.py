"""A worker is killed at each point of each actor's work, one after another: all is done, and done once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db import outbox
from db.outbox import Claim
from dunning.breaker import Limits
from tests.chaos.conftest import Tell
from tests.chaos.crowd import ALL_RUN_OUT, Crowd, Facts, watched
from tests.chaos.failpoints import COMMIT, Failpoints
from tests.chaos.parts import PARTS, Part, Rows
from tests.chaos.verdict import Verdict, judged
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.stage import Stage
from tests.worker.breaking import cap
from tests.worker.chat import Chat

pytestmark = pytest.mark.usefixtures("quiet")

SEND = "Courier.send"
[MAILING] = [part for part in PARTS if part.actor == "send_mail"]


class Matrix:
    """One part, played by a crowd of whom each has an end of process of their own, or several."""

    def __init__(self, make_world: MakeWorld, stage: Stage, room: Chat, part: Part) -> None:
        self._make_world, self._stage, self._room, self._part = make_world, stage, room, part

    def points(self, *, thorough: bool = False) -> list[str]:
        """What the part passes when nobody ends it."""
        crowd, rows = self._arranged(1)
        failpoints = Failpoints(thorough=thorough)
        assert not self._play(crowd, rows[0], failpoints)
        return failpoints.passed

    def ended_at(self, ends: Sequence[Sequence[int]], *, thorough: bool = False) -> list[Verdict]:
        """What came of it for those whose workers ended at these points, one worker after the other."""
        crowd, rows = self._arranged(len(ends) + 1)
        failpoints = Failpoints(thorough=thorough)
        for deaths in zip(*ends, strict=True):
            for mine, end_at in zip(rows, deaths, strict=False):
                self._play(crowd, mine, failpoints, end_at)
            crowd.world.run(self._stage.let_pass(ALL_RUN_OUT))
        crowd.recover()
        *ended, calm = crowd.told()
        return [judged(facts, calm) for facts in ended]

    def _arranged(self, size: int) -> tuple[Crowd, Rows]:
        self._stage.clear()
        chat_url = self._room.url if self._part.chat else None
        world = self._make_world(policy=self._part.policy, chat_url=chat_url)
        cap(world, Limits(revocations_per_hour=10_000))
        crowd = Crowd(world, size, retries=self._part.retries)
        return crowd, self._part.arrange(crowd)

    def _play(
        self, crowd: Crowd, rows: Sequence[int], failpoints: Failpoints, end_at: int | None = None
    ) -> bool:
        services, courier = watched(crowd.world, failpoints)
        with failpoints.watching(services.engine):
            return crowd.world.run(failpoints.live(lambda: self._part.work(services, courier, rows), end_at))


def may_be_unknown(points: Sequence[str]) -> set[int]:
    """The points at which a mail is out of hand: handed over by a commit, and not yet told by the next.

    The first that is sent is a mail; whoever is told by chat is told again.
    """
    if SEND not in points:
        return set()
    sent = points.index(SEND)
    commits = [number for number, point in enumerate(points) if point == COMMIT]
    handed_over = max(number for number in commits if number < sent)
    told = min(number for number in commits if number > sent)
    return set(range(handed_over, told))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.actor)
def test_wherever_a_worker_is_killed_its_work_is_done_once(
    make_world: MakeWorld, stage: Stage, room: Chat, part: Part, long: bool, tell: Tell
) -> None:
    """As many customers as there are points; what came of it is what comes of it when nobody is killed."""
    matrix = Matrix(make_world, stage, room, part)
    points = matrix.points(thorough=long)
    verdicts = matrix.ended_at([[number] for number in range(len(points))], thorough=long)
    tell("F11", actor=part.actor, points=len(points), **figures(verdicts))
    wrong = {
        f"{number} {points[number]}": (each.lost, each.doubled)
        for number, each in enumerate(verdicts)
        if each.lost or each.doubled
    }
    assert not wrong
    assert {number for number, each in enumerate(verdicts) if each.unknown} == may_be_unknown(points)


@pytest.mark.only_long
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.actor)
def test_killed_twice_in_a_row_it_is_still_done_once(
    make_world: MakeWorld, stage: Stage, room: Chat, part: Part, tell: Tell
) -> None:
    """Whoever goes on after the first is killed as well, at any point of what is left."""
    matrix = Matrix(make_world, stage, room, part)
    points = range(len(matrix.points()))
    verdicts = matrix.ended_at(list(product(points, points)))
    tell("F11", actor=part.actor, deaths_in_a_row=2, points=len(points) ** 2, **figures(verdicts))
    assert not [each for each in verdicts if each.lost or each.doubled]


def test_the_matrix_notices_that_a_message_out_of_hand_is_sent_again(
    make_world: MakeWorld, stage: Stage, room: Chat, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A negative control: what an earlier claim handed over is not looked at, and the mail comes twice."""
    claim = outbox.claim

    async def forgetful(connection: AsyncConnection, effect_id: int) -> Claim | None:
        found = await claim(connection, effect_id)
        return found and replace(found, handed_over=False)

    monkeypatch.setattr(outbox, "claim", forgetful)
    matrix = Matrix(make_world, stage, room, MAILING)
    points = matrix.points()
    [verdict] = matrix.ended_at([[points.index(SEND)]])
    tell("F11", control="handed_at is ignored", actor=MAILING.actor, points=1, **figures([verdict]))
    assert verdict.doubled == Facts({"arrived: payment_failed:1 by mail": 1})


def figures(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """All of it in three numbers."""
    return {
        "lost": sum(each.lost.total() for each in verdicts),
        "doubled": sum(each.doubled.total() for each in verdicts),
        "unknown": sum(each.unknown for each in verdicts),
    }
