"""What the doctor finds about PostgreSQL and Redis, from the real ones."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import redis as redis_client

from console.doctor import database, redis
from console.doctor.finding import Level
from db.soundness import Soundness
from tests.console.doctor.looking import found, said
from tests.roles import as_role

SOUND = Soundness(
    version=180006,
    fsync=True,
    full_page_writes=True,
    synchronous_commit="on",
    replica=False,
    encoding="UTF8",
    autovacuum=True,
    free=80,
    owner=False,
    at=datetime(2026, 1, 1, tzinfo=UTC),
)
INFO = {"redis_version": "8.2.0", "maxmemory_policy": "noeviction", "maxmemory": 0, "aof_enabled": 1}


def test_a_server_that_does_not_wait_for_its_disk(database_url: str) -> None:
    """The tests' own PostgreSQL is one; it is migrated, and its clock is this machine's."""
    findings = found(database.look, DATABASE_URL=database_url)
    assert [each.split(" (")[0] for each in said(findings, Level.FAULT)] == [
        "does not wait for its disk",
        "commits before the disk has it",
    ]
    assert said(findings, Level.RISK) == []


def test_a_server_that_was_never_migrated(empty_database_url: str) -> None:
    """Its processes would fail one by one."""
    findings = found(database.look, DATABASE_URL=empty_database_url)
    assert any("has not been migrated" in each for each in said(findings, Level.FAULT))


def test_a_server_that_is_not_there() -> None:
    """One sentence, without the password that stands in its address."""
    (finding,) = found(database.look, DATABASE_URL="postgresql://dunning:geheim@127.0.0.1:1/dunning")
    assert finding.level is Level.FAULT
    assert "geheim" not in str(finding)


@pytest.mark.parametrize(
    ("change", "level", "part"),
    [
        ({"version": 140012}, Level.FAULT, "older than version 15"),
        ({"replica": True}, Level.FAULT, "read-only replica"),
        ({"full_page_writes": False}, Level.FAULT, "does not wait for its disk"),
        ({"synchronous_commit": "off"}, Level.FAULT, "commits before"),
        ({"encoding": "SQL_ASCII"}, Level.FAULT, "SQL_ASCII"),
        ({"autovacuum": False}, Level.RISK, "autovacuum"),
        ({"free": 3}, Level.RISK, "3 connections left"),
    ],
)
def test_each_weakness_of_a_server(change: dict[str, object], level: Level, part: str) -> None:
    """Alone, at its level, and in place of the good news."""
    findings = database.judge(replace(SOUND, **change), timedelta(0), [])  # type: ignore[arg-type]  # a table
    (sentence,) = said(findings, level)
    assert part in sentence
    assert len(findings) == 1


def test_a_login_that_may_do_anything_is_worth_knowing(database_url: str) -> None:
    """The owner of the tables may, a role of a process may not; either server may be sound."""
    findings = database.judge(replace(SOUND, owner=True), timedelta(0), [])
    assert [each.level for each in findings] == [Level.GOOD, Level.NOTE]
    for url, notes in ((database_url, 1), (as_role(database_url, "worker"), 0)):
        assert len(said(found(database.look, DATABASE_URL=url), Level.NOTE)) == notes


def test_a_sound_server_and_clocks_that_disagree() -> None:
    """Five seconds are borne, in either direction."""
    assert [each.level for each in database.judge(SOUND, timedelta(seconds=-4), [])] == [Level.GOOD]
    for ahead in (-60, 60):
        findings = database.judge(SOUND, timedelta(seconds=ahead), [])
        assert said(findings, Level.RISK) == ["this machine and PostgreSQL disagree by 60 s"]


def test_a_redis_that_throws_keys_away(redis_url: str) -> None:
    """A fault with a limit, a risk without one, and good as it comes from the embedded server."""
    with redis_client.Redis.from_url(redis_url) as client:
        try:
            client.config_set("maxmemory-policy", "allkeys-lru")
            without = found(redis.look, REDIS_URL=redis_url)
            client.config_set("maxmemory", "100mb")
            limited = found(redis.look, REDIS_URL=redis_url)
        finally:
            client.config_set("maxmemory", "0")
            client.config_set("maxmemory-policy", "noeviction")
    assert len(said(without, Level.RISK)) == 1
    assert said(limited, Level.FAULT) == ["throws keys away when it is full (maxmemory-policy allkeys-lru)"]
    (good,) = found(redis.look, REDIS_URL=redis_url)
    assert (good.level, "Valkey" in good.said) == (Level.GOOD, True)


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({"aof_enabled": 0}, Level.NOTE),
        ({"aof_last_write_status": "err"}, Level.RISK),
        ({"evicted_keys": 4}, Level.RISK),
        ({"maxmemory": 100, "used_memory": 90}, Level.RISK),
        ({"role": "slave"}, Level.FAULT),
    ],
)
def test_each_weakness_of_a_redis(change: dict[str, object], level: Level) -> None:
    """At its level; what is only a note stands beside the good news."""
    assert len(said(redis.judge(INFO | change), level)) == 1
    assert (Level.GOOD in [each.level for each in redis.judge(INFO | change)]) == (level is Level.NOTE)


def test_a_redis_that_is_not_there() -> None:
    """It says that nothing is lost by it."""
    (finding,) = found(redis.look, REDIS_URL="redis://127.0.0.1:1/0")
    assert (finding.level, "Nothing is lost" in finding.risk) == (Level.FAULT, True)
