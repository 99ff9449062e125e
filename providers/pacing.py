"""Many questions to a provider: no faster than it allows, slower when it says so, again when it is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import SystemRandom
from typing import TypeVar

from providers.lookup import ProviderUnavailableError

T = TypeVar("T")

# Seconds between the tries of one question: about three minutes in all.
RESTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0)
# What a 429 leaves of the rate, and how many answers bring it back.
SLOWED_TO = 0.7
RECOVERED_AFTER = 200
SLOWEST = 1.0
CHANCE = SystemRandom().random


class Pace:
    """Turns for questions, `rate` a second at most, for one event loop. `clock` and `sleep` are in seconds,
    and so are `rests`, between the tries of one question.

    `asked` is how many turns there were, `slowed` how often the provider wanted it slower.
    """

    def __init__(
        self,
        rate: float,
        *,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = CHANCE,
        rests: Sequence[float] = RESTS,
    ) -> None:
        self._most = self._rate = rate
        self._clock = clock or asyncio.get_running_loop().time
        self._sleep, self._chance, self._rests = sleep, chance, rests
        self._next = self._held_until = 0.0
        self.asked = self.slowed = 0

    async def turn(self) -> None:
        """Wait for a turn, in the order of asking."""
        self.asked += 1
        at = max(self._clock(), self._next)
        self._next = at + 1 / self._rate
        self._rate = min(self._most, self._rate + self._most / RECOVERED_AFTER)
        # Whoever waits already waits longer when all are told to.
        while (until := max(at, self._held_until)) > (now := self._clock()):
            await self._sleep(until - now)

    def hold(self, seconds: float) -> None:
        """No turn for so long."""
        self._held_until = max(self._held_until, self._clock() + seconds)
        self._next = max(self._next, self._held_until)

    async def patiently(self, question: Callable[[], Awaitable[T]]) -> T:
        """The answer, asked for again while the provider cannot give it.

        Raises ProviderUnavailableError where it is refused, or after all the rests: some minutes, by default.
        """
        for rest in self._rests:
            try:
                return await question()
            except ProviderUnavailableError as error:
                if error.forbidden or error.refused:
                    raise
                if error.passing:
                    self.slowed += 1
                    self._rate = max(min(SLOWEST, self._most), self._rate * SLOWED_TO)
                # Those who were refused together must not come back together.
                self.hold((error.retry_after or rest / 2) + rest / 2 * self._chance())
        return await question()
