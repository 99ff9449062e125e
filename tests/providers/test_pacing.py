"""Questions in turns: the rate, what a 429 makes of it, and when somebody gives up."""

from __future__ import annotations

import asyncio

import pytest

from providers.lookup import ProviderUnavailableError
from tests.worker.importing import Moments, pace


def test_no_more_questions_a_second_than_allowed() -> None:
    """Of ten questions at twenty a second the last is asked after nine twentieths."""
    moments = Moments()
    turns = pace(20, moments)

    async def ten() -> None:
        for _ in range(10):
            await turns.turn()

    asyncio.run(ten())
    assert moments.now == pytest.approx(9 / 20)
    assert turns.asked == 10


def test_it_waits_as_long_as_it_is_told_and_goes_on_slower() -> None:
    """A 429 that says five seconds holds everybody back for them, and then the rate is lower for a while."""
    moments = Moments()
    turns = pace(10, moments, chance=0)
    answers = [ProviderUnavailableError("RateLimitError", passing=True, retry_after=5.0), "an answer"]

    async def question() -> str:
        await turns.turn()
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def ask() -> None:
        assert await turns.patiently(question) == "an answer"
        await turns.turn()

    asyncio.run(ask())
    assert turns.slowed == 1
    assert moments.now > 5 + 1 / 10


def test_a_provider_that_is_away_is_asked_for_minutes() -> None:
    """Then whoever wanted to know is told that it cannot be asked."""
    moments = Moments()
    turns = pace(10, moments)

    async def question() -> None:
        await turns.turn()
        raise ProviderUnavailableError("APIConnectionError")

    with pytest.raises(ProviderUnavailableError):
        asyncio.run(turns.patiently(question))
    assert turns.asked == 9
    assert 60 < moments.now < 300


def test_a_refused_key_is_not_asked_for_again() -> None:
    """Its answer would be the same."""
    turns = pace(10, Moments())

    async def question() -> None:
        await turns.turn()
        raise ProviderUnavailableError("PermissionError", forbidden=True)

    with pytest.raises(ProviderUnavailableError):
        asyncio.run(turns.patiently(question))
    assert turns.asked == 1
