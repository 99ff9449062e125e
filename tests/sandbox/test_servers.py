"""The embedded PostgreSQL and Valkey: start, stop, crash, keep their data, stay out of each other's way."""

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from sandbox.binaries import valkey_server as valkey_binary
from sandbox.errors import DataInUseError, SandboxError, ServerFailedError
from sandbox.postgres import PostgresServer, embedded_postgres
from sandbox.runtime import runtime_directory
from sandbox.valkey import ValkeyServer, embedded_valkey
from tests.sandbox.machine import alive, processes_of


def sql(url: str, statement: str) -> object:
    """The first value that a statement answers, through the driver the product uses."""

    async def run() -> object:
        engine = create_async_engine(url)
        try:
            async with engine.begin() as connection:
                result = await connection.execute(sa.text(statement))
                return result.scalar() if result.returns_rows else None
        finally:
            await engine.dispose()

    return asyncio.run(run())


def test_postgres_is_version_18_in_utf8_and_utc(postgres_server: PostgresServer) -> None:
    """The server is what production has: the version, the encoding and the time zone."""
    assert int(str(sql(postgres_server.url, "SHOW server_version_num"))) >= 180000
    assert sql(postgres_server.url, "SHOW server_encoding") == "UTF8"
    assert sql(postgres_server.url, "SHOW timezone") == "UTC"


def test_servers_listen_on_no_port(postgres_server: PostgresServer, valkey_server: ValkeyServer) -> None:
    """Ports 5432 and 6379 may be taken, because none is used."""
    assert sql(postgres_server.url, "SHOW listen_addresses") == ""
    with redis.Redis.from_url(valkey_server.url) as client:
        assert client.config_get("port") == {"port": "0"}


def test_url_does_not_depend_on_the_environment(postgres_server: PostgresServer) -> None:
    """Whoever has PGPORT and PGUSER set for another server still reaches this one."""
    program = "import sys; from tests.sandbox.test_servers import sql; print(sql(sys.argv[1], 'SELECT 42'))"
    done = subprocess.run(
        [sys.executable, "-c", program, postgres_server.url],
        env={**os.environ, "PGPORT": "7777", "PGUSER": "somebody", "PGHOST": "elsewhere.example"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("42\n", 0), done.stderr


def test_valkey_forgets_nothing_to_make_room(valkey_server: ValkeyServer) -> None:
    """A queue needs an append-only file and no eviction."""
    with redis.Redis.from_url(valkey_server.url) as client:
        assert client.config_get("maxmemory-policy", "appendonly", "appendfsync") == {
            "maxmemory-policy": "noeviction",
            "appendonly": "yes",
            "appendfsync": "everysec",
        }


def test_database_is_copied_from_its_template(postgres_server: PostgresServer) -> None:
    """A copy has the template's rows, does not share them, and odd names are safe."""
    template = postgres_server.create_database('odd "name"')
    sql(template, "CREATE TABLE t AS SELECT 42 AS answer")
    copy = postgres_server.create_database("copy", template='odd "name"')
    sql(copy, "UPDATE t SET answer = 43")
    assert (sql(template, "SELECT answer FROM t"), sql(copy, "SELECT answer FROM t")) == (42, 43)
    with pytest.raises(SandboxError, match="already exists"):
        postgres_server.create_database("copy")
    postgres_server.drop_database("copy")
    with pytest.raises(sa.exc.DBAPIError, match="does not exist"):
        sql(copy, "SELECT 1")


def test_postgres_keeps_data_over_stop_and_crash(tmp_path: Path) -> None:
    """Rows survive a restart, a kill -9 with its stale lock files, and a new start on the directory."""
    with embedded_postgres(tmp_path / "pg") as server:
        first, url = server.pid, server.url
        sql(url, "CREATE TABLE t AS SELECT 1 AS n")
        server.restart()
        assert server.pid != first
        server.kill()
        assert (tmp_path / "pg/cluster/postmaster.pid").exists()
        server.start()
        assert server.url == url
        sql(url, "INSERT INTO t VALUES (2)")
    with embedded_postgres(tmp_path / "pg") as server:
        assert sql(server.url, "SELECT sum(n) FROM t") == 3


def test_stale_lock_file_that_names_a_living_process_is_no_obstacle(tmp_path: Path) -> None:
    """After a reboot the pid in postmaster.pid may belong to anybody, such as process 1."""
    with embedded_postgres(tmp_path / "pg", durable=False) as server:
        stale = tmp_path / "pg/cluster/postmaster.pid"
        lines = stale.read_text().splitlines()
    stale.write_text("\n".join(["1", *lines[1:]]) + "\n")
    with embedded_postgres(tmp_path / "pg", durable=False) as server:
        assert sql(server.url, "SELECT 1") == 1


def test_valkey_keeps_data_over_stop_and_crash(tmp_path: Path) -> None:
    """Keys survive a kill -9 (the append-only file) and a new start on the directory."""
    with embedded_valkey(tmp_path / "kv") as server, redis.Redis.from_url(server.url) as client:
        client.rpush("queue", "a", "b")
        server.kill()
        server.start()
        assert client.lrange("queue", 0, -1) == [b"a", b"b"]
        client.rpush("queue", "c")
        server.restart()
        assert client.llen("queue") == 3
    with embedded_valkey(tmp_path / "kv") as server, redis.Redis.from_url(server.url) as client:
        assert client.llen("queue") == 3


def test_two_of_each_do_not_meet(postgres_server: PostgresServer, valkey_server: ValkeyServer) -> None:
    """Servers side by side have sockets, data and processes of their own."""
    with embedded_postgres(durable=False) as other, embedded_valkey() as queue:
        sql(other.url, "CREATE TABLE only_here AS SELECT 1")
        assert sql(postgres_server.url, "SELECT to_regclass('only_here')") is None
        with redis.Redis.from_url(queue.url) as here, redis.Redis.from_url(valkey_server.url) as there:
            here.set("only_here", 1)
            assert there.exists("only_here") == 0


def test_temporary_server_leaves_nothing(tmp_path: Path) -> None:
    """After the block neither process nor directory is left."""
    with embedded_postgres(durable=False) as server, embedded_valkey() as queue:
        pids = [server.pid, queue.pid]
        directories = [server.data.parent, queue.data.parent]
        assert all(processes_of(directory) for directory in directories)
    assert not any(alive(pid) for pid in pids)
    assert not any(directory.exists() or processes_of(directory) for directory in directories)


def test_data_in_use_is_refused(tmp_path: Path) -> None:
    """A second server on the same data would destroy it: the second one is told so."""
    with embedded_valkey(tmp_path / "kv"):
        second = ValkeyServer(valkey_binary(), tmp_path / "kv", tmp_path)
        second.lock_seconds = 0.2
        with pytest.raises(DataInUseError, match=str(tmp_path)):
            second.start()


def test_failed_start_shows_the_log(tmp_path: Path) -> None:
    """What the server said last is in the error, and nothing is left running."""
    with embedded_postgres(tmp_path / "pg", durable=False):
        pass
    (tmp_path / "pg/cluster/PG_VERSION").write_text("9.6\n")
    with (
        pytest.raises(ServerFailedError, match="incompatible with server"),
        embedded_postgres(tmp_path / "pg"),
    ):
        pytest.fail("a data directory of another version was accepted")
    assert processes_of(tmp_path) == []


def test_leftovers_of_a_killed_container_are_swept() -> None:
    """Where even supervisors were killed, the next start removes the old directory; never a living one."""
    left_over = Path(tempfile.mkdtemp(prefix="dunning-test-"))
    (left_over / "alive").touch()
    with runtime_directory("dunning-test") as living:
        os.utime(left_over, (0, 0))
        os.utime(living, (0, 0))
        with runtime_directory("dunning-test"):
            assert living.exists()
            assert not left_over.exists()
