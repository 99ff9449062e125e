"""The pages in docs/ lead to each other, and name only commands that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.registry import BY_NAME

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
COMMAND = re.compile(r"`dunning ([a-z][a-z-]*)")


def anchors(page: Path) -> set[str]:
    """The names that headings have in links, as GitHub makes them."""
    found = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            if not target.startswith(("http://", "https://", "mailto:")):
                yield page, target


@pytest.mark.parametrize(("page", "target"), list(links()), ids=lambda each: getattr(each, "name", each))
def test_every_link_leads_somewhere(page: Path, target: str) -> None:
    """To a file that is there, and a heading that stands in it."""
    name, _, anchor = target.partition("#")
    file = (page.parent / name) if name else page
    assert file.exists()
    assert not anchor or anchor in anchors(file)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_only_commands_that_exist_are_named(page: Path) -> None:
    """Whoever types what stands there gets an answer."""
    named = set(COMMAND.findall(page.read_text(encoding="utf-8")))
    assert named <= set(BY_NAME)
