"""A world with a simulated Commet: its webhooks go through the receiver, and it is asked through its SDK."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from db import reconciliations
from db.reconciliations import EVENTS, Kind
from providers.commet.api import CommetGateway
from providers.commet.client import CommetApi
from providers.commet.mirror import CommetMirror
from sandbox.commet import SimulatedCommet
from tests.scenarios.story import RENEWAL, Story
from tests.scenarios.telling import Door, Person
from tests.scenarios.world import START, World
from tests.worker.importing import Moments, pace
from worker.usecases.reconcile import Reconciling, carry_on


@dataclass
class OfCommet(Story):
    """The story of a customer of Commet's, by the world's time."""

    commet: Any = None
    of: str = ""

    def happens(self, deed: str, *given: Any) -> OfCommet:
        """Something happens to the subscription now: a deed of `sandbox.commet.CommetBooks`."""
        self.commet.books.now = self.world.now
        getattr(self.commet.books, deed)(self.of, *given)
        return self


class CommetWorld:
    """`away`: whether our receiver is; then Commet is answered with 503."""

    def __init__(self, world: World, commet: SimulatedCommet, door: Door) -> None:
        self.world, self.commet, self.away = world, commet, False
        self.endpoint = commet.send_to(
            lambda body, headers: 503 if self.away else door.post("commet", body, headers).status_code
        )
        gateway = CommetGateway(commet.api_key, livemode=False, api_base=commet.url)
        gateways = {**world.services.gateways, "commet": gateway}
        world.services = replace(world.services, gateways=gateways)

    def customer(self, name: str, **options: Any) -> OfCommet:
        """A month after they bought, an hour before they are charged again."""
        email, books = f"{name}@customer.example", self.commet.books
        books.now = START
        of = books.subscribe(email, f"user_{name}", name=name.title(), **options)
        person = Person(f"user_{name}")
        return OfCommet(self.world, None, person, None, email, RENEWAL, self.commet, of)  # type: ignore[arg-type]  # of no Stripe

    def until(self, day: float) -> None:
        """Everybody lives on until this day after the renewals."""
        to = RENEWAL + timedelta(days=day)
        while self.world.now < to:
            self.world.advance(None, min(self.world.next_due(None, self.world.now) or to, to))

    def reconcile(self, kind: Kind = EVENTS) -> Mapping[str, int]:
        """As workers do each hour, or each night; the counts of it."""
        counts = self.world.run(self._reconcile(kind))
        self.world.tick()
        return counts

    async def _reconcile(self, kind: Kind) -> Mapping[str, int]:
        paced = pace(20, Moments())
        api = CommetApi(self.commet.api_key, livemode=False, api_base=self.commet.url, pace=paced)
        mirror = CommetMirror(api, paced, "commet")
        tools = Reconciling(self.world.services, mirror, ZoneInfo("UTC"), ripe_after=timedelta(0))
        engine = self.world.services.engine
        async with engine.begin() as connection:
            await reconciliations.ensure(connection, "commet")
            row = (await reconciliations.read(connection, "commet"))[kind]
            run = await reconciliations.take(connection, row.id, anyway=True)
        assert run is not None
        assert await carry_on(tools, run, within=math.inf) is None
        async with engine.connect() as connection:
            return (await reconciliations.read(connection, "commet"))[kind].counts
