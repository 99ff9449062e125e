"""A world with a simulated Commet: its webhooks go through the receiver, and it is asked through its SDK."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from providers.commet.api import CommetGateway
from sandbox.commet import SimulatedCommet
from tests.scenarios.story import RENEWAL, Story
from tests.scenarios.telling import Door, Person
from tests.scenarios.world import START, World


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
