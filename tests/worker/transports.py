"""Ways out that fail on purpose, as a mail server does, or the end of a process in the middle of a send."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from emails.delivery import Delivery
from worker.courier import Transport


class Scripted:
    """Keeps the bytes of every message and answers as told, the last answer for ever."""

    def __init__(self, *answers: Delivery) -> None:
        self.answers = list(answers)
        self.sent: list[bytes] = []

    async def send(self, message: bytes) -> Delivery:
        self.sent.append(message)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Gate:
    """Stops a send half way, before the real one or after it, until somebody opens the gate."""

    def __init__(self, transport: Transport, *, after: bool = False) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        self._transport, self._after = transport, after

    async def send(self, message: bytes) -> Delivery:
        if self._after:
            answer = await self._transport.send(message)
        self.reached.set()
        await self.open.wait()
        return answer if self._after else await self._transport.send(message)


class Disturbed:
    """Sends for real, and something happens right before or after it, which may raise."""

    def __init__(
        self,
        transport: Transport,
        *,
        before: Callable[[], Awaitable[None]] | None = None,
        after: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._transport, self._before, self._after = transport, before, after

    async def send(self, message: bytes) -> Delivery:
        if self._before:
            await self._before()
        answer = await self._transport.send(message)
        if self._after:
            await self._after()
        return answer
