"""Actions are done once, however often, at once, late or half a request comes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import pytest
from sqlalchemy import func, update

from db import api_requests, models
from settings.urls import for_asyncpg
from tests.console.team_api import TeamApi
from tests.console.test_access_api import is_problem
from tests.console.test_team_actions import debtor, told
from tests.scenarios.world import World


@contextmanager
def held(database_url: str, statement: str) -> Iterator[None]:
    """Another session holds what the statement locks."""
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(for_asyncpg(database_url)))
        runner.run(connection.execute(f"BEGIN; {statement}"))
        try:
            yield
        finally:
            runner.run(connection.close())


def test_a_repeated_request_is_answered_and_not_done_again(world: World, team: TeamApi) -> None:
    """Word for word, and it says that it is a repetition; what has happened since does not matter."""
    story = debtor(world, 1)
    ref = story.invoice.id
    first = team.act(ref, "pause", days=5, name="one")
    assert team.act(ref, "resume").status_code == 200
    again = team.act(ref, "pause", days=5, name="one")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert [verb for verb, _, _ in told(world)] == ["pause", "resume"]


def test_a_refusal_is_repeated_too(world: World, team: TeamApi) -> None:
    """Whoever wants to try again takes a new name."""
    ref = debtor(world, 1).invoice.id
    first = team.act(ref, "resume", name="one")
    assert is_problem(first, 409, "already_so")
    assert team.act(ref, "stop").status_code == 200
    again = team.act(ref, "resume", name="one")
    assert (again.status_code, again.content) == (409, first.content)
    assert team.act(ref, "resume", name="two").status_code == 200


def test_a_name_that_comes_with_something_else_is_refused(world: World, team: TeamApi) -> None:
    """Another body, another action, another case; each key has names of its own."""
    ref = debtor(world, 1).invoice.id
    assert team.act(ref, "pause", days=5, name="one").status_code == 200
    for action, said in (("pause", {"days": 6}), ("pause", {"days": 5, "by": "joan"}), ("stop", {})):
        assert is_problem(team.act(ref, action, name="one", **said), 422, "idempotency_key_reused")
    assert is_problem(team.act("in_2", "pause", days=5, name="one"), 422, "idempotency_key_reused")
    assert team.act(ref, "stop", name="one", key=team.new_key("act")).status_code == 200


def test_what_was_only_misspelt_may_be_sent_again_under_its_name(world: World, team: TeamApi) -> None:
    """Nothing was done, so nothing is remembered."""
    ref = debtor(world, 1).invoice.id
    assert is_problem(team.act(ref, "extend", name="one"), 400, "invalid_body")
    assert is_problem(team.act("in_nobody", "stop", name="one"), 404, "unknown_case")
    assert team.act(ref, "extend", days=3, name="one").status_code == 200


def test_twenty_at_once_are_done_once(world: World, team: TeamApi) -> None:
    """The others are told to ask again, or hear what was answered."""
    ref = debtor(world, 1).invoice.id
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: team.act(ref, "extend", days=3, name="one"), range(20)))
    assert [verb for verb, _, _ in told(world)] == ["extend"]
    assert {answer.status_code for answer in answers} <= {200, 409}
    for answer in answers:
        assert answer.status_code == 200 or is_problem(answer, 409, "request_in_progress")
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1


def test_two_people_at_once_are_heard_one_after_the_other(world: World, team: TeamApi) -> None:
    """A case is extended once: the second is refused, whoever it is."""
    ref = debtor(world, 1).invoice.id
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: team.act(ref, "extend", days=3), range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert [verb for verb, _, _ in told(world)] == ["extend"]


def test_while_the_first_is_being_done_the_second_is_told_so(
    world: World, team: TeamApi, database_url: str
) -> None:
    """It waits for nobody."""
    ref = debtor(world, 1).invoice.id
    with ThreadPoolExecutor(1) as pool, held(database_url, "SELECT id FROM customers FOR UPDATE"):
        first = pool.submit(team.act, ref, "stop", name="one")
        asyncio.run(once_somebody_waits(database_url, "SELECT 1"))
        second = team.act(ref, "stop", name="one")
        assert is_problem(second, 409, "request_in_progress")
        assert second.headers["retry-after"] == "1"
        assert not first.done()
    assert first.result().status_code == 200
    assert team.act(ref, "stop", name="one").headers["idempotent-replayed"] == "true"


WAITS = "application_name = 'dunning-api' AND wait_event_type = 'Lock'"
STOPS = ("instructions", "api_requests")


@pytest.mark.parametrize("table", STOPS)
def test_killed_half_way_it_was_not_done_and_can_be_repeated(
    world: World, team: TeamApi, database_url: str, table: str
) -> None:
    """Wherever the session ends: nothing of it stays, and under the same name it is then done once."""
    ref = debtor(world, 1).invoice.id
    entries = len(world.rows(models.journal))
    # The request gets as far as this table and waits there until its session is ended.
    with ThreadPoolExecutor(1) as pool, held(database_url, f"LOCK TABLE {table} IN SHARE MODE"):
        half = pool.submit(team.act, ref, "forgive", name="one")
        asyncio.run(once_somebody_waits(database_url, "SELECT pg_terminate_backend(pid)"))
        assert is_problem(half.result(), 503, "unavailable")
    assert told(world) == world.rows(models.api_requests) == []
    assert len(world.rows(models.journal)) == entries
    answer = team.act(ref, "forgive", name="one")
    assert answer.status_code == 200
    assert "idempotent-replayed" not in answer.headers
    assert [verb for verb, _, _ in told(world)] == ["forgive"]


async def once_somebody_waits(database_url: str, do: str) -> None:
    """Do something about the session of the API that waits for a lock, once there is one."""
    connection = await asyncpg.connect(for_asyncpg(database_url))
    try:
        while not await connection.fetchval(f"{do} FROM pg_stat_activity WHERE {WAITS}"):
            pass
    finally:
        await connection.close()


def test_names_are_forgotten_after_their_time(world: World, team: TeamApi) -> None:
    """A day is promised; what is much older makes room when something new comes."""
    ref = debtor(world, 1).invoice.id
    assert team.act(ref, "pause", days=5, name="one").status_code == 200
    age_requests(team, timedelta(days=2))
    assert team.act(ref, "pause", days=5, name="one").headers["idempotent-replayed"] == "true"
    age_requests(team, api_requests.KEPT_FOR)
    assert team.act(ref, "resume", name="two").status_code == 200
    assert [row.name for row in world.rows(models.api_requests)] == ["two"]


def age_requests(team: TeamApi, age: timedelta) -> None:
    """Let every request have been made so long ago."""

    async def put_back() -> Any:
        async with team.engine.begin() as connection:
            made_at = func.clock_timestamp() - age
            await connection.execute(update(models.api_requests).values(made_at=made_at))

    team.run(put_back)
