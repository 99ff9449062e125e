"""The figures as the team's API tells of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from console.figures.described import FiguresAnswer
from console.scopes import Scope
from tests.console.team_api import TeamApi, team_api
from tests.console.test_access_api import is_problem
from tests.db.conftest import database_at
from tests.db.told import failed_on, stored
from tests.dunning.builders import paid

SPRING = "/v1/figures?from=2026-02&to=2026-04"


class Clock:
    """The wall clock, which the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 4, 20, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def team(database_url: str, clock: Clock) -> Iterator[TeamApi]:
    """The API, with two renewals of March: one paid, one open."""
    with database_at(database_url) as database:
        stored(database, [failed_on(0), paid(3)], [failed_on(0, amount=5000, currency="jpy")])
    with team_api(database_url, clock) as team:
        yield team


def test_the_answer_is_what_the_document_describes(team: TeamApi) -> None:
    """Every field, and no other; months that are not given are the last twelve."""
    said = team.get(SPRING).json()
    assert set(said) == set(FiguresAnswer.model_fields)
    assert FiguresAnswer.model_validate(said).model_dump(by_alias=True, mode="json") == said
    assert (said["total"]["cases"], said["total"]["rate"]) == (2, {"low": 0.5, "high": 1.0})
    assert said["at_risk"] == [{"currency": "jpy", "cases": 1, "amount": 5000}]
    assert [month["closed"] for month in said["months"]] == [True, False, True]
    assert len(team.get("/v1/figures").json()["months"]) == 12
    assert team.get(f"{SPRING}&currency=USD").json()["total"]["cases"] == 1


def test_an_answer_is_good_for_a_minute(team: TeamApi, clock: Clock) -> None:
    """Whoever has it is told so; then it is read anew."""
    first = team.get(SPRING)
    assert first.headers["cache-control"] == "private, max-age=60"
    clock.now += timedelta(seconds=59)
    assert team.get(SPRING, if_none_match=first.headers["etag"]).status_code == 304
    clock.now += timedelta(seconds=1)
    assert team.get(SPRING, if_none_match=first.headers["etag"]).json()["made_at"] == "2026-04-20T12:01:00Z"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("from=2026-04&to=2026-02", "invalid_period"),
        ("from=2026-02&months=3", "invalid_period"),
        ("from=2030-01", "invalid_period"),
        ("from=March", "invalid_query"),
        ("months=0", "invalid_query"),
        ("currency=euro", "invalid_query"),
        ("since=2026-02", "invalid_query"),
    ],
)
def test_months_that_cannot_be_meant_are_a_problem(team: TeamApi, query: str, code: str) -> None:
    """With the reason."""
    answer = team.get(f"/v1/figures?{query}")
    assert is_problem(answer, 400, code)
    assert answer.json()["detail"]


def test_figures_want_their_own_scope(team: TeamApi) -> None:
    """Whoever may read the cases may not read the figures."""
    key = team.new_key(Scope.CASES, Scope.ACT)
    assert is_problem(team.get(SPRING, key=key), 403, "scope_missing")
    assert team.get(SPRING, key=team.new_key(Scope.FIGURES)).status_code == 200
