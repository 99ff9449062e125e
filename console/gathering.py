"""Questions of concurrent requests, put to the database by one statement.

To ask costs a process about as much for fifty customers as for one. Whoever asks alone is asked for at once;
while a statement is under way, further questions gather for the next one. A statement begins after all of its
questions were asked, so that no answer is older than its question.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

AT_ONCE = 2  # statements: while one is read, the other is worked on
MOST = 200  # questions in one statement

Look = Callable[[Sequence[Q]], Awaitable[Sequence[A]]]
"""Answers in the order of the questions."""


class Gathering(Generic[Q, A]):
    """Lives in one event loop."""

    def __init__(self, look: Look[Q, A]) -> None:
        self._look = look
        self._waiting: deque[tuple[Q, asyncio.Future[A]]] = deque()
        self._under_way = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, question: Q) -> A:
        """The answer to one question; what `look` raises is raised for each question it was given."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._under_way < AT_ONCE:
            self._under_way += 1
            # It begins when all that has arrived together has been read.
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await answer

    async def _work(self) -> None:
        while batch := self._take():
            try:
                answers = await self._look([question for question, _ in batch])
            except Exception as error:
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(type(error)(*error.args))
            else:
                for (_, answer), found in zip(batch, answers, strict=True):
                    if not answer.done():
                        answer.set_result(found)
        self._under_way -= 1  # at once: a question that comes before the task has ended needs another one

    def _take(self) -> list[tuple[Q, asyncio.Future[A]]]:
        """The oldest questions that somebody still waits for."""
        batch: list[tuple[Q, asyncio.Future[A]]] = []
        while self._waiting and len(batch) < MOST:
            question, answer = self._waiting.popleft()
            if not answer.done():
                batch.append((question, answer))
        return batch
