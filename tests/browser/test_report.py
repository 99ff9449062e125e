"""The page of a report in a real browser: on a phone and a desk, in light and dark, read by axe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.figures.page import page
from console.figures.period import period
from tests.browser.conftest import THREAD
from tests.browser.visitor import DESKTOP, NARROWEST, PHONE, Browsers, Visitor
from tests.db.conftest import database_at
from tests.db.told import BERLIN, figures_of
from tests.db.year import TODAY, a_year
from tests.dunning.builders import day

CUSTOMERS = 160
SHOWN = {"x": 0, "y": 0, "width": 1280, "height": 1120}


@pytest.fixture
def report(chromium: Browsers, database_url: str, tmp_path: Path) -> Iterator[Visitor]:
    """Somebody who has opened the page of a year."""
    months = period("2026-01", "2026-11", None, now=day(TODAY), zone=BERLIN)
    file = tmp_path / "report.html"
    with database_at(database_url) as database:
        a_year(database, CUSTOMERS)
        file.write_text(page(figures_of(database, months, now=day(TODAY))), encoding="utf-8")
    visitor = THREAD.submit(Visitor, chromium, (file.as_uri(),), PHONE, javascript=True).result()
    THREAD.submit(visitor.page.goto, file.as_uri()).result()
    yield visitor
    THREAD.submit(visitor.close).result()


def test_the_page_is_fit_for_everybody(report: Visitor, request: pytest.FixtureRequest) -> None:
    """No barrier that axe knows, nothing wider than 320 px, no console message, nobody else asked."""
    assert report.heading == "Failed renewals and their recovery"
    assert report.barriers() == []
    report.page.emulate_media(color_scheme="dark")
    assert report.barriers("color-contrast") == []
    report.resize(NARROWEST)
    assert not report.is_wider_than_the_screen()
    report.resize(DESKTOP)
    report.page.emulate_media(color_scheme="light")
    assert not report.is_wider_than_the_screen()
    assert report.page.get_by_role("img").count() == 7
    folder: Path | None = request.config.getoption("pictures", None)
    if folder is not None and folder.name == "report":
        file = folder / "report.jpg"
        report.page.screenshot(path=file, clip=SHOWN, full_page=True, type="jpeg", quality=75)
