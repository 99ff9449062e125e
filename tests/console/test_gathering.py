"""Questions that are asked at the same time are put by one statement, each has its own answer."""

import asyncio
from collections.abc import Sequence

import pytest

from console.gathering import AT_ONCE, Gathering
from console.store import Unavailable


class Database:
    """Doubles numbers when it is let; knows what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.goes_on = asyncio.Event()

    async def look(self, numbers: Sequence[int]) -> list[int]:
        self.asked.append(list(numbers))
        await self.goes_on.wait()
        if 13 in numbers:
            raise Unavailable("away")
        return [2 * number for number in numbers]


async def _asking(gathering: Gathering[int, int], numbers: Sequence[int]) -> list["asyncio.Task[int]"]:
    tasks = [asyncio.create_task(gathering.ask(number)) for number in numbers]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


def test_what_is_asked_meanwhile_is_asked_together() -> None:
    """At once when nothing is under way; and no question joins a statement that has begun."""

    async def ask() -> tuple[list[int], list[list[int]]]:
        database = Database()
        gathering = Gathering(database.look)
        tasks = []
        for numbers in ([1, 2], [3], [4, 5, 6], [7]):
            tasks += await _asking(gathering, numbers)
        assert len(database.asked) == AT_ONCE
        database.goes_on.set()
        return await asyncio.gather(*tasks), database.asked

    answers, asked = asyncio.run(ask())
    assert answers == [2, 4, 6, 8, 10, 12, 14]
    assert asked == [[1, 2], [3], [4, 5, 6, 7]]


def test_a_failure_is_everybodys_of_that_statement_and_of_no_other() -> None:
    """Whoever is asked for later is asked for anew."""

    async def ask() -> list[int | BaseException]:
        database = Database()
        gathering = Gathering(database.look)
        tasks = [*await _asking(gathering, [1, 13]), *await _asking(gathering, [3])]
        database.goes_on.set()
        tasks += await _asking(gathering, [4])
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third, fourth = asyncio.run(ask())
    assert isinstance(first, Unavailable)
    assert isinstance(second, Unavailable)
    assert (third, fourth) == (6, 8)


def test_whoever_has_given_up_is_not_asked_for() -> None:
    """While a database says nothing, callers go away and others come."""

    async def ask() -> list[list[int]]:
        database = Database()
        gathering = Gathering(database.look)
        stuck = [*await _asking(gathering, [1]), *await _asking(gathering, [2])]
        gone, stays = await _asking(gathering, [3, 4])
        gone.cancel()
        database.goes_on.set()
        assert await asyncio.gather(*stuck, stays) == [2, 4, 8]
        with pytest.raises(asyncio.CancelledError):
            await gone
        return database.asked

    assert asyncio.run(ask()) == [[1], [2], [4]]
