"""Every threat in docs/security.md names what holds it and a test that is there."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs" / "security.md"
HEADER = "| threat | what holds it | shown by |"
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def threats(page: str) -> Iterator[tuple[str, str, str]]:
    """The cells of each line in a table of threats."""
    inside = False
    for line in page.splitlines():
        inside = line == HEADER or (inside and line.startswith("|"))
        if inside and line != HEADER and not line.startswith("| ---"):
            threat, held_by, shown_by = (cell.strip() for cell in line.strip("|").split(" | "))
            yield threat, held_by, shown_by


@cache
def names_in(file: str) -> set[str]:
    """The names of the tests in a file below tests/; none in a file that is not there."""
    path = TESTS / file
    return set(re.findall(r"^def (test_\w+)\(", path.read_text("utf-8"), re.M)) if path.is_file() else set()


def untold(page: str) -> list[str]:
    """The threats that nothing holds, that no test shows, or whose test is gone."""
    wrong = []
    for threat, held_by, shown_by in threats(page):
        named = NAMED.findall(shown_by)
        if not held_by or not named or any(test not in names_in(file) for file, test in named):
            wrong.append(threat)
    return wrong


def test_every_threat_has_a_test_that_is_there() -> None:
    """Nothing is only claimed."""
    page = PAGE.read_text("utf-8")
    assert untold(page) == []
    assert len(list(threats(page))) > 60


def test_a_claim_without_its_test_would_be_found() -> None:
    """Without a test, with one that is gone, and with nothing that holds it."""
    rows = [
        "| a | b |  |",
        "| c | d | `test_rooms.py::test_of_nothing` |",
        "| e |  | `test_rooms.py::test_one_module_knows_apprise` |",
        "| f | g | `test_rooms.py::test_one_module_knows_apprise` |",
    ]
    page = "\n".join([HEADER, "| --- | --- | --- |", *rows])
    assert untold(page) == ["a", "c", "e"]
