"""PostgreSQL cut off, read-only, full, frozen, restarted, failed over: 503 in time, and nothing is lost."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import pytest

from sandbox.postgres import PostgresServer, embedded_postgres
from settings.urls import for_asyncpg
from tests.chaos.conftest import Tell
from tests.chaos.house import Answer, House, house, nothing_is_lost_or_doubled, statuses
from tests.processes.tree import descendants
from tests.webhooks.process import frozen, wait_until

NAME = "chaos_postgres"
ANSWERED_WITHIN = 3.0  # seconds: two are promised, and this machine is busy
RIGHTS = """
    CREATE ROLE app LOGIN;
    GRANT ALL ON ALL TABLES IN SCHEMA public TO app; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO app
"""


class Admin:
    """Whoever runs the database, with rights that our processes have not."""

    def __init__(self, url: str) -> None:
        self.dsn = for_asyncpg(url)

    def run(self, *statements: str) -> None:
        """One after the other, each in a transaction of its own."""

        async def run() -> None:
            connection = await asyncpg.connect(self.dsn)
            for statement in statements:
                await connection.execute(statement)
            await connection.close()

        asyncio.run(run())

    def cut(self) -> None:
        """End every connection of our processes, whatever they are at."""
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")


@pytest.fixture(scope="module")
def admin(postgres_server: PostgresServer, migrated_template: str) -> Iterator[Admin]:
    """A database of this module's own, and a role that may use it."""
    admin = Admin(postgres_server.create_database(NAME, template=migrated_template))
    admin.run(RIGHTS)
    yield admin
    admin.run("DROP OWNED BY app", "DROP ROLE app")
    postgres_server.drop_database(NAME)


@pytest.fixture(scope="module")
def standby(postgres_server: PostgresServer, admin: Admin) -> Iterator[PostgresServer]:
    """A second server that follows the first one and has each commit that was confirmed."""
    with embedded_postgres(durable=False, primary=postgres_server) as server:
        admin.run(
            "ALTER SYSTEM SET synchronous_standby_names = '*'",
            f"ALTER DATABASE {NAME} SET synchronous_commit = on",
            "SELECT pg_reload_conf()",
        )
        yield server
        postgres_server.start()  # it was killed, and must not come back while anybody looks for a primary
        admin.run("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")


@pytest.fixture(scope="module")
def town(
    admin: Admin,
    postgres_server: PostgresServer,
    standby: PostgresServer,
    valkey_server: object,
    tmp_path_factory: pytest.TempPathFactory,
    long: bool,
) -> Iterator[House]:
    """Our processes, which know both servers."""
    places = [parse_qs(urlsplit(server.url).query)["host"][0] for server in (postgres_server, standby)]
    url = f"postgresql://app@/{NAME}?host={','.join(places)}&port=5432&target_session_attrs=read-write"
    folder = tmp_path_factory.mktemp("postgres")
    with house(url, f"{valkey_server.url}?db=9", folder, hurry=not long) as town:  # type: ignore[attr-defined]
        yield town


@contextmanager
def meanwhile(town: House) -> Iterator[list[Answer]]:
    """Events keep coming while the block runs; what they were answered is there afterwards."""
    over, answers = threading.Event(), []

    def deliver() -> None:
        while not over.is_set():
            answers.extend(town.deliver(1, pace=0.02))

    thread = threading.Thread(target=deliver)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()


def judged(town: House, answers: list[Answer], tell: Tell, name: str, faults: int) -> None:
    """Every answer came in time, and nothing is lost or done twice in the end."""
    slowest = max(answer.seconds for answer in answers)
    figures = town.settle()
    tell(name, faults=faults, slowest_answer_seconds=round(slowest, 2), **figures)
    assert statuses(answers) <= {200, 503}
    assert slowest < ANSWERED_WITHIN
    nothing_is_lost_or_doubled(figures)


def test_connections_cut(town: House, admin: Admin, tell: Tell, long: bool) -> None:
    """All connections end again and again, in the middle of whatever they are at."""
    rounds = 50 if long else 6
    with meanwhile(town) as answers:
        for _ in range(rounds):
            time.sleep(0.15)
            admin.cut()
    judged(town, answers, tell, "postgres cut", rounds)
    assert statuses(answers) == {200}


def test_read_only(town: House, admin: Admin, tell: Tell) -> None:
    """A server that can be read but not written is 503, and is left for good when it can be written again."""
    with meanwhile(town) as answers:
        admin.run(f"ALTER DATABASE {NAME} SET default_transaction_read_only = on")
        admin.cut()
        wait_until(lambda: 503 in statuses(answers), "a refusal")
        # The first look finds its connection ended, the others a server that answers and takes nothing.
        assert {town.receiver.client.get("/readyz").status_code for _ in range(4)} == {503}
        wait_until(lambda: town.said("scheduler", "tick.missed"), "a missed tick")
        # Nobody ends the connections that were made meanwhile.
        admin.run(
            "SET default_transaction_read_only = off",
            f"ALTER DATABASE {NAME} RESET default_transaction_read_only",
        )
    judged(town, answers, tell, "postgres read-only", 1)


def test_too_many_connections(town: House, admin: Admin, tell: Tell) -> None:
    """A server with no room for another connection is waited for by everybody."""
    missed = town.said("scheduler", "tick.missed")
    with meanwhile(town) as answers:
        admin.run("ALTER ROLE app CONNECTION LIMIT 0")
        admin.cut()
        wait_until(lambda: 503 in statuses(answers), "a refusal")
        wait_until(lambda: town.said("scheduler", "tick.missed") > missed, "a missed tick")
        admin.run("ALTER ROLE app CONNECTION LIMIT -1")
    judged(town, answers, tell, "postgres full", 1)


def test_frozen(town: House, postgres_server: PostgresServer, tell: Tell, long: bool) -> None:
    """A server that stands still is 503 within two seconds; in the long form others give it up as well."""
    seconds = 20.0 if long else 2.5
    with meanwhile(town) as answers, frozen(postgres_server.pid, *descendants(postgres_server.pid)):
        time.sleep(seconds)
    judged(town, answers, tell, "postgres frozen", 1)
    assert statuses(answers) == {200, 503}


def test_restarted(town: House, postgres_server: PostgresServer, tell: Tell, long: bool) -> None:
    """While it shuts down and starts up, it says so; nobody takes that for an end."""
    rounds = 5 if long else 1
    with meanwhile(town) as answers:
        for _ in range(rounds):
            time.sleep(0.2)
            postgres_server.restart()
    judged(town, answers, tell, "postgres restarted", rounds)


def test_failed_over(
    town: House, postgres_server: PostgresServer, standby: PostgresServer, tell: Tell
) -> None:
    """The primary is killed and the standby promoted: everybody finds it, with all that was confirmed."""
    town.deliver_at_once(20)
    with meanwhile(town) as answers:
        postgres_server.kill()
        wait_until(lambda: 503 in statuses(answers), "a refusal")
        standby.promote()
        wait_until(lambda: answers[-1].status == 200, "an event to be taken")
    judged(town, answers, tell, "postgres failed over", 1)
