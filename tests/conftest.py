"""Real servers for the tests: started once per session, emptied for each test that asks for them."""

import contextlib
import gc
import itertools
import signal
import sys
from collections.abc import Generator, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import certifi
import pytest
import redis
import structlog

from sandbox.inbox import Inbox, mail_inbox
from sandbox.postgres import PostgresServer, embedded_postgres
from sandbox.valkey import ValkeyServer, embedded_valkey
from tests.emptying import Emptier
from tests.roles import make_roles

_TEMPLATE = "migrated"

TESTS = Path(__file__).parent
# Whole programs, what takes longest first: it must not be what the other core waits for in the end.
FIRST = (
    "browser/",
    "chaos/test_storm.py",
    "chaos/",
    "sandbox/test_demo_run.py",
    "processes/",
    "cli/test_up.py",
    "benchmarks/test_rows.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`./run chaos` asks for more faults than a push can wait for."""
    parser.addoption("--long", action="store_true", help="fault tests in their long form")
    parser.addoption("--rabbitmq", action="store_true", help="tests with a real RabbitMQ: `./run rabbitmq`")
    parser.addoption("--seed", type=int, help="have fault tests draw their faults from this seed alone")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the fault tests came to, one line of JSON each."""
    lines = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, value in report.user_properties
        if name == "figures"
    ]
    if lines:
        terminalreporter.section("fault tests")
    for line in sorted(lines):
        terminalreporter.line(str(line))


def pytest_configure() -> None:
    """As our processes log: rich's tracebacks with every local variable take a second each.

    And SIGTERM stops what the tests have started, as Ctrl-C does, and as that does where a shell has started
    the tests in the background: it has Ctrl-C ignored there, by all that they start as well.
    """
    gc.disable()  # while modules and tests are loaded, which stay
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.dev.ConsoleRenderer(colors=False)]
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Each worker reads its share of the modules first, and finds the others compiled as it lists all tests.

    To rewrite the asserts of a fresh checkout takes longer than all else before the first test.
    """
    worker = getattr(session.config, "workerinput", None)
    if worker is None or session.config.args != session.config.getini("testpaths"):
        return
    share = slice(int(worker["workerid"].removeprefix("gw")), None, worker["workercount"])
    for path in sorted(TESTS.rglob("test_*.py"))[share]:
        # What cannot be imported is told of where it is collected.
        with contextlib.suppress(Exception, pytest.skip.Exception):
            import_module(".".join(path.relative_to(TESTS.parent).with_suffix("").parts))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Modules and tests stay to the end: nobody has to look through them for garbage again and again."""
    collected = yield
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    gc.enable()
    return collected


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order in which files are handed out."""
    places = {path: place_of(path) for path in {item.path for item in items}}
    items.sort(key=lambda item: places[item.path])


def place_of(path: Path) -> int:
    """The lower, the sooner; among the same, in the order of their names."""
    name = str(path.relative_to(TESTS)) if path.is_relative_to(TESTS) else ""
    return next((place for place, start in enumerate(FIRST) if name.startswith(start)), len(FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadfile`, dear rooms stay together as well."""
    from tests.shares import Shares

    return Shares(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session", autouse=True)
def few_authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One in place of all whom the internet trusts: HTTP clients read them, and none here needs them."""
    first, end, _ = certifi.contents().partition("-----END CERTIFICATE-----\n")
    file = tmp_path_factory.mktemp("authorities") / "one.pem"
    file.write_text(first + end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certifi, "where", lambda: str(file))
        # Where the machine names its own, they are read instead.
        patch.setenv("SSL_CERT_FILE", str(file))
        if stripe := sys.modules.get("stripe"):
            patch.setattr(stripe, "ca_bundle_path", str(file))
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL, without the waits for the disk."""
    with embedded_postgres(durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[ValkeyServer]:
    """A real Valkey with an append-only file."""
    with embedded_valkey() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_template(postgres_server: PostgresServer) -> str:
    """The name of a database that our migrations have been run on, to be copied."""
    from db.migrate import upgrade

    url = postgres_server.create_database(_TEMPLATE)
    upgrade(url)
    make_roles(url)
    return _TEMPLATE


@pytest.fixture(scope="session")
def database_names() -> Iterator[str]:
    """A fresh database name at each step."""
    return (f"test_{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def spare_databases() -> list[tuple[str, str]]:
    """Names and urls of databases that tests have left, emptied."""
    return []


@pytest.fixture(scope="session")
def emptier(postgres_server: PostgresServer) -> Iterator[Emptier]:
    """Whoever makes a database as new; gone before its server is."""
    emptier = Emptier()
    yield emptier
    emptier.close()


@pytest.fixture
def database_url(
    postgres_server: PostgresServer,
    migrated_template: str,
    database_names: Iterator[str],
    spare_databases: list[tuple[str, str]],
    emptier: Emptier,
) -> Iterator[str]:
    """An empty, migrated database that is the test's own while it runs."""
    if spare_databases:
        name, url = spare_databases.pop()
    else:
        name = next(database_names)
        url = postgres_server.create_database(name, template=migrated_template)
    yield url
    if emptier.as_new(url):
        spare_databases.append((name, url))
    else:
        postgres_server.drop_database(name)


@pytest.fixture
def empty_database_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database that no migration has been run on."""
    yield postgres_server.create_database("never_migrated")
    postgres_server.drop_database("never_migrated")


@pytest.fixture
def redis_url(valkey_server: ValkeyServer) -> str:
    """A Valkey without a single key."""
    with redis.Redis.from_url(valkey_server.url) as client:
        client.flushall()
    return valkey_server.url


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A real SMTP server that keeps what it is sent."""
    with mail_inbox() as server:
        yield server
