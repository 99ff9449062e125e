"""Ask providers what events leave unsaid: a few questions at a time, and all within the actor's time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from providers.lookup import Informant, Lookup, Normalised, ProviderUnavailableError
from worker.services import Services

# Questions to a provider at the same time, so that a backlog does not turn into 429s.
CONCURRENT = 8
# Seconds for all the questions of some rows. A row that was cut off by the actor's time limit instead would
# count as tried.
WITHIN = 20.0


class Questions:
    """The questions of rows that are read together. Belongs to the event loop it was made in."""

    def __init__(self, services: Services, within: float = WITHIN) -> None:
        """`within` is in seconds, from now."""
        self._gateways, self._informants = services.gateways, services.informants
        self._limit = asyncio.Semaphore(CONCURRENT)
        self._clock = asyncio.get_running_loop().time
        self._until = self._clock() + within
        self._late = self._until - within / 2

    async def ask(self, source: str, lookup: Lookup) -> Normalised:
        """What the provider says, and nothing where there is none. Raises ProviderUnavailableError.

        A question that had no turn, or one that left little time for an answer, says nothing about the
        provider: it counts as `passing`.
        """
        informant: Informant | None = self._gateways.get(source) or self._informants.get(source)
        if informant is None:
            return Normalised()
        in_time = False
        try:
            async with asyncio.timeout_at(self._until), self._limit:
                in_time = self._clock() <= self._late
                return await _follow(informant, lookup)
        except TimeoutError:
            raise ProviderUnavailableError("TimeoutError", passing=not in_time) from None


async def _follow(informant: Informant, lookup: Lookup) -> Normalised:
    """What a lookup brings, and the facts of those it leads to."""
    found = await informant.look_up(lookup)
    facts = found.facts
    for further in found.lookups:
        facts += (await informant.look_up(further)).facts
    return replace(found, facts=facts, lookups=())
