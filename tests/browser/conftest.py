"""A real browser, and a town for it to walk in; both start once for all tests.

Playwright keeps an event loop running in the thread it was started in, where nobody could start another one.
So it has a thread of its own, and the tests of this folder are called there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from sandbox.inbox import mail_inbox
from sandbox.postgres import PostgresServer
from sandbox.valkey import ValkeyServer
from tests.browser.town import Town
from tests.browser.visitor import SIZES, Browsers, Visitor

Visit = Callable[..., Visitor]

THREAD = ThreadPoolExecutor(1, "browser")
# What docs/portal.md and docs/banner.md show; `--pictures` keeps these and no others.
SHOWN = (
    *(f"{page}-{size}" for page in ("soft", "declined", "back", "promise", "limited") for size in SIZES),
    *(f"{page}-{size}" for page in ("processing", "paid", "ended", "link", "wall") for size in SIZES),
    "banner-hard-phone",
    "banner-limited-phone",
)
# Debian's, Ubuntu's and Google's name for it. Playwright would download one of its own; we never do. Without
# windows, tabs and menus that nobody sees, a page takes less than half of the processor time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`./run test tests/browser --pictures docs/portal` renews what the documents show."""
    parser.addoption("--pictures", type=Path, help="Keep pictures of the main pages here.")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool:
    """Call the test where the browser is."""
    wanted = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    THREAD.submit(pyfuncitem.obj, **wanted).result()
    return True


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browsers]:
    """The machine's own Chromium."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium")

    def launch() -> Browser:
        # Chromium's own sandbox refuses to run as root.
        return playwright.chromium.launch(executable_path=found, chromium_sandbox=os.geteuid() != 0)

    playwright = THREAD.submit(sync_playwright().start).result()
    browser = THREAD.submit(launch).result()
    yield Browsers(browser)
    THREAD.submit(browser.close).result()
    THREAD.submit(playwright.stop).result()


@pytest.fixture(scope="session")
def town(
    chromium: Browsers,  # without one, nothing is started
    postgres_server: PostgresServer,
    valkey_server: ValkeyServer,
    migrated_template: str,
    database_names: Iterator[str],
) -> Iterator[Town]:
    """One town for all tests; each brings customers of its own."""
    name = next(database_names)
    with mail_inbox() as inbox:
        url = postgres_server.create_database(name, template=migrated_template)
        town = Town(url, valkey_server.url, inbox)
        yield town
        town.close()
    postgres_server.drop_database(name)


@pytest.fixture
def visit(chromium: Browsers, town: Town) -> Iterator[Visit]:
    """Send somebody with a browser to the town; at the end nothing may have been wrong with what they saw."""
    visitors: list[Visitor] = []

    def send(*arguments: object, origins: tuple[str, ...] = (), **options: object) -> Visitor:
        visitor = Visitor(chromium, (town.pages.base, *origins), *arguments, **options)  # type: ignore[arg-type]
        visitors.append(visitor)
        return visitor

    yield send
    for visitor in visitors:
        THREAD.submit(visitor.close).result()


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[[Visitor, str], None]:
    """Keep a picture under a name, where pictures are asked for."""
    folder: Path | None = request.config.getoption("pictures", None)

    def keep(visitor: Visitor, name: str) -> None:
        if folder is not None and name in SHOWN:
            folder.mkdir(parents=True, exist_ok=True)
            visitor.picture(folder / f"{name}.jpg")

    return keep
