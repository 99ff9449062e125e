"""What commands print, for people and for machines."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum

import pytest

from cli.output import print_error, print_json, print_table

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


class Level(Enum):
    FULL = "full"


@dataclass(frozen=True)
class Row:
    level: Level
    at: datetime
    share: Decimal
    tags: frozenset[str]


def test_a_table_shows_values_as_people_read_them(capsys: pytest.CaptureFixture[str]) -> None:
    """Instants in UTC, enums by value, nothing as a dash, and square brackets as they are."""
    print_table(["level", "at", "until", "note"], [[Level.FULL, AT, None, "[bold]x"]], title="Access")
    printed = capsys.readouterr().out
    for text in ("Access", "full", "2026-03-01 12:30:00 UTC", " - ", "[bold]x"):
        assert text in printed


def test_an_empty_table_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """No frame around nothing."""
    print_table(["a"], [], empty="No cases.")
    assert capsys.readouterr().out == "No cases.\n"


def test_json_is_one_document_of_plain_values(capsys: pytest.CaptureFixture[str]) -> None:
    """Dataclasses become objects, instants ISO 8601, decimals texts, sets sorted lists."""
    print_json([Row(Level.FULL, AT, Decimal("0.10"), frozenset({"b", "a"}))])
    assert json.loads(capsys.readouterr().out) == [
        {"level": "full", "at": "2026-03-01T12:30:00+00:00", "share": "0.10", "tags": ["a", "b"]}
    ]


def test_json_refuses_what_has_no_plain_form() -> None:
    """An object nobody thought of is a mistake, not its repr."""
    with pytest.raises(TypeError):
        print_json(object())


def test_an_error_goes_to_stderr_with_its_hint(capsys: pytest.CaptureFixture[str]) -> None:
    """stdout stays clean for whoever reads it."""
    print_error("Failed", "It did not work.", "Try again.")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "It did not work." in printed.err
    assert "Try again." in printed.err
