"""A real PostgreSQL on a unix socket, started and stopped with this process; as root too.

with embedded_postgres(Path(".dunning/postgres")) as server:
    engine = create_async_engine(server.url)
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from sandbox.binaries import copy_postgres, postgres_package
from sandbox.errors import RootRefusedError, SandboxError
from sandbox.runtime import clean_environment, reachable_by_all, runtime_directory
from sandbox.server import Server
from sandbox.supervised import Become, Supervised
from sandbox.supervisor import NOBODY

_INITDB_SECONDS = 120.0
_PROBE_SECONDS = 10.0
_PSQL_SECONDS = 60.0
_ENCODING = ["-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]  # the same on every machine
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # compiling costs more than it saves on statements of this size
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresServer(Server):
    """PostgreSQL 18; `url` is what SQLAlchemy takes, for the database `postgres`."""

    name = "PostgreSQL"
    stop_signal = "INT"  # fast shutdown: sessions are ended, nothing is lost

    def __init__(
        self,
        package: Path,
        data: Path,
        runtime: Path,
        *,
        become: Become,
        durable: bool,
        primary: "PostgresServer | None" = None,
    ) -> None:
        """Describe the server; nothing is started yet. With `primary` it is a standby of that one."""
        super().__init__(_url("postgres", runtime), data, runtime, become)
        self._programs = package / "pginstall/bin"
        self._cluster = data / "cluster"
        self._settings = _SETTINGS if durable else _SETTINGS | _NOT_DURABLE
        self._durable = durable
        self._primary = primary

    def promote(self) -> None:
        """Make a standby the primary; returns when it takes what is written."""
        self._sql("SELECT pg_promote()")

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database, empty or as a copy of `template` (which nobody may be using); answers its url.

        Raises SandboxError with the server's words, for instance when it exists already.
        """
        template_clause = f" TEMPLATE {_identifier(template)}" if template else ""
        self._sql(f"CREATE DATABASE {_identifier(name)}{template_clause}")
        return _url(name, self._runtime)

    def drop_database(self, name: str) -> None:
        """Drop a database if it exists, ending the sessions that use it."""
        self._sql(f"DROP DATABASE IF EXISTS {_identifier(name)} WITH (FORCE)")

    def _prepare(self, lock: int) -> None:
        if self._become != "keep":
            _give(NOBODY if self._become == "nobody" else os.geteuid(), self._runtime, self.data)
        if not self._cluster.exists():
            self._initdb(lock)
        # Left by a kill -9. PostgreSQL respects them while *any* process has the pid they name; the lock
        # says that whoever wrote them is gone.
        for stale in (self._cluster / "postmaster.pid", *self._runtime.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def _initdb(self, lock: int) -> None:
        unfinished = self.data / "cluster.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        if self._primary:
            program, options = "pg_basebackup", ["-h", str(self._primary._runtime), "-R", "-c", "fast"]
        else:
            program, options = "initdb", ["-A", "trust", *_ENCODING]
        if not self._durable:
            options.append("--no-sync")
        command = [str(self._programs / program), "-U", "postgres", *options, "-D", str(unfinished)]
        initdb = self._supervise(command, lock)
        try:
            code = initdb.wait(_INITDB_SECONDS)
        except BaseException:  # too slow, or Ctrl-C
            initdb.stop(0)
            raise
        if code != 0:
            raise self._failure("could not create its data directory")
        unfinished.rename(self._cluster)

    def _command(self) -> list[str]:
        command = [str(self._programs / "postgres"), "-D", str(self._cluster), "-k", str(self._runtime)]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        return command

    def _answers(self) -> bool:
        return self._psql("SELECT 1", _PROBE_SECONDS).returncode == 0

    def _sql(self, statement: str) -> None:
        done = self._psql(statement, _PSQL_SECONDS)
        if done.returncode != 0:
            raise SandboxError(done.stderr.strip())

    def _psql(self, statement: str, timeout_seconds: float) -> subprocess.CompletedProcess[str]:
        options = ["-X", "-q", "-h", str(self._runtime), "-U", "postgres", "-c", statement]
        return subprocess.run(
            [self._programs / "psql", *options],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )


@contextlib.contextmanager
def embedded_postgres(
    data_dir: Path | None = None, durable: bool = True, *, primary: PostgresServer | None = None
) -> Iterator[PostgresServer]:
    """Run PostgreSQL while the block runs.

    Args:
        data_dir: kept and used again by the next start; None is a temporary one, removed at the end.
        durable: False gives up safety at a power cut for speed (fsync off); for tests only.
        primary: a running server that this one shall be a standby of, until it is promoted.

    Raises:
        BinaryMissingError, RootRefusedError, DataInUseError, ServerFailedError: see `sandbox.errors`.
    """
    package = postgres_package()
    become = _how_to_leave_root(package)
    with runtime_directory("dunning-pg", open_to_all=become == "nobody") as runtime:
        data = runtime / "data" if data_dir is None else data_dir.resolve()
        if become == "nobody":
            package = copy_postgres(package, runtime)
            if not reachable_by_all(data.parent):
                raise RootRefusedError(
                    f"PostgreSQL must run as uid {NOBODY} here, which cannot reach {data}: "
                    "choose a directory that every user may pass through, or do not run as root"
                )
        server = PostgresServer(package, data, runtime, become=become, durable=durable, primary=primary)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _how_to_leave_root(package: Path) -> Become:
    """PostgreSQL refuses uid 0: a user namespace where permitted, else a change of uid."""
    if os.geteuid() != 0:
        return "keep"
    reasons = []
    ways: tuple[tuple[Become, str], ...] = (
        ("namespace", str(package / "pginstall/bin/postgres")),
        ("nobody", shutil.which("true", path=os.defpath) or "/bin/true"),  # the copy is not made yet
    )
    for become, program in ways:
        attempt = Supervised([program, "--version"], output=subprocess.PIPE, become=become)
        if attempt.wait(_PROBE_SECONDS) == 0:
            return become
        reasons.append(attempt.output.read().decode(errors="replace").strip())
    raise RootRefusedError(
        "PostgreSQL does not run as root, and this machine permits neither a user namespace nor "
        f"a change of uid ({'; '.join(reasons)}): run as a normal user, or set DATABASE_URL"
    )


def _give(owner: int, *directories: Path) -> None:
    """PostgreSQL insists on owning its files; an earlier start may have left uid 0 another way."""
    for directory in directories:
        for path in (directory, *directory.rglob("*")):
            os.chown(path, owner, owner, follow_symlinks=False)


def _url(database: str, runtime: Path) -> str:
    # The port is a part of the socket's name; left out, asyncpg would take it from PGPORT.
    return f"postgresql+asyncpg://postgres@/{quote(database, safe='')}?host={quote(str(runtime))}&port=5432"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
