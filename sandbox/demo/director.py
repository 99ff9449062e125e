"""Plays the stories: moves the clocks, lets people act, waits until everything has been done, looks."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sandbox.demo import at_commet, records, settled
from sandbox.demo.cast import Role, cast
from sandbox.demo.days import EVENING, LAST_DAY, MIDNIGHT, MORNING
from sandbox.demo.deeds import perform
from sandbox.demo.happenings import Audience, Counts, Happening
from sandbox.demo.own_billing import clients
from sandbox.demo.players import Clock, Payer, Player, moment_on
from sandbox.demo.records import Failure, Records
from sandbox.demo.stage import OWN, Stage
from sandbox.demo.story import Deed, Story
from sandbox.demo.verdict import Difference, differences
from sandbox.demo.witness import Seen, Witness

# For all that follows from one stop of the clocks, on a machine that has other things to do.
_SETTLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Result:
    """One customer at the end."""

    story: Story
    customer: str
    events: int
    failures: tuple[Failure, ...]
    seen: Seen
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """All customers at the end, in the order of the stories; `seconds` is how long the thirty days took."""

    results: tuple[Result, ...]
    counts: Counts
    seconds: float

    @property
    def ok(self) -> bool:
        return not any(result.differences for result in self.results)


class Director:
    """Runs the days of one performance."""

    def __init__(
        self,
        stage: Stage,
        roles: Sequence[Role | Payer],
        witness: Witness,
        engine: AsyncEngine,
        audience: Audience,
    ) -> None:
        self._stage, self._roles, self._witness = stage, roles, witness
        self._engine, self._audience = engine, audience

    async def prologue(self) -> None:
        """Everybody has subscribed a month ago: let that arrive."""
        await self._settle(None)

    async def day(self, day: int) -> None:
        """Morning, when Stripe charges, and evening; between them whatever is due has its own time."""
        self._audience.day(day, self._witness.counts())
        mornings = set(await self._due(day, MORNING))
        if day == LAST_DAY:
            mornings = {role.clock for role in self._roles}
        await self._at(day, MORNING, mornings)
        await self._until(day, EVENING)
        await self._at(day, EVENING)
        await self._until(day, MIDNIGHT)

    async def _at(self, day: int, time: timedelta, clocks: Iterable[Clock] = ()) -> None:
        """What people do at this time of the day, on their clocks; `clocks` are moved to it as well."""
        deeds = [
            (role, deed)
            for role in self._roles
            for deed in role.story.deeds
            if deed.day == day and deed.time == time
        ]
        moving = {*clocks, *(role.clock for role, _ in deeds)}
        if moving:
            await self._advance({clock: moment_on(clock, day, time) for clock in moving}, day)
        if deeds:
            await self._act(deeds, day)

    async def _until(self, day: int, time: timedelta) -> None:
        """Everything that becomes due before this time of the day, each thing at its moment."""
        while due := await self._due(day, time):
            await self._advance(due, day)

    async def _due(self, day: int, time: timedelta) -> dict[Clock, datetime]:
        """When something is due next, at Stripe's or at ours, on clocks where that is by this time."""
        ours = await records.next_due(self._engine)
        found = {}
        for clock in {role.clock for role in self._roles}:
            dues = (clock.next_due(), ours.get(clock.key))
            ahead = [due for due in dues if due and due > clock.now()]
            if ahead and min(ahead) <= moment_on(clock, day, time):
                found[clock] = min(ahead)
        return found

    async def _advance(self, to: Mapping[Clock, datetime], day: int) -> None:
        # Held until all have moved, so that the events of all clocks are shuffled together.
        with self._stage.stripe.delivery.held():
            for clock in sorted(to, key=lambda clock: clock.lag):
                await clock.advance(to[clock])
        await self._settle(day)

    async def _act(self, deeds: Sequence[tuple[Role | Payer, Deed]], day: int) -> None:
        for role, deed in deeds:
            self._audience.happened(Happening(day, "deed", role.story.name, deed.words))
            await perform(self._stage, role, deed)
        await self._settle(day)

    async def _settle(self, day: int | None) -> None:
        """Wait until every event is acknowledged and all that follows from them is done; then look."""
        await self._stage.stripe.delivery.drain(_SETTLE_SECONDS)
        await settled.settle(self._engine, self._stage.check, _SETTLE_SECONDS)
        news = await self._witness.look(day)
        for happening in news:
            self._audience.happened(happening)
        self._audience.day(day or 0, self._witness.counts())


async def play(stage: Stage, stories: Sequence[Story], audience: Audience) -> Outcome:
    """Thirty days. Raises StageError, NotSettledError, DeedError, TimeoutError, or httpx.HTTPError."""
    began = time.monotonic()
    engine = create_async_engine(stage.database_url, pool_size=1)
    at_stripe = [story for story in stories if story.source == "stripe"]
    roles: list[Role | Payer] = [*cast(stage.stripe.engine, at_stripe)]
    roles += await clients(stage, engine, [story for story in stories if story.source == OWN])
    at_theirs = [story for story in stories if story.source == at_commet.SOURCE]
    roles += await at_commet.subscribers(stage.commet, engine, at_theirs)
    key = {"Authorization": f"Bearer {stage.api_key}"}
    try:
        async with httpx.AsyncClient(base_url=stage.api_url, headers=key, trust_env=False) as api:
            witness = Witness(stage, roles, api)
            director = Director(stage, roles, witness, engine, audience)
            await director.prologue()
            for day in range(LAST_DAY + 1):
                await director.day(day)
        written = await records.read(engine)
    finally:
        await engine.dispose()
    results = tuple(_result(role, witness.testimony(role, written), written) for role in roles)
    return Outcome(results, witness.counts(), time.monotonic() - began)


def _result(role: Player, seen: Seen, written: Records) -> Result:
    return Result(
        story=role.story,
        customer=role.ref,
        events=written.events.get(role.ref, 0),
        failures=tuple(failure for failure in written.failures if failure.customer == role.ref),
        seen=seen,
        differences=tuple(differences(role.story, seen)),
    )
