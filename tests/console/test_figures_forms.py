"""One set of figures in every form: the same numbers, and the same words for what they are."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from console.figures.definitions import DEFINITIONS
from console.figures.formats import days, percent, rate
from console.figures.page import page
from console.figures.plain import plain
from console.figures.tally import Range
from console.figures.tidy import COLUMNS, write
from console.figures.words import CATEGORIES, CAUSES, OUTCOMES
from db.figures import AtRisk
from dunning.account import Outcome
from dunning.causes import Cause
from dunning.declines import Category
from tests.console.sample import LOST, OPEN, PAID, figures_of

YEN = replace(PAID, currency="jpy", due=5000, paid=5000, refunded=1200)
DINAR = replace(OPEN, currency="kwd", due=12345, unpaid=12345)
SPRING = figures_of(
    PAID, PAID, OPEN, LOST, YEN, DINAR, ended={date(2026, 3, 1): {"voluntary": 2, "involuntary": 1}}
)
ROOT = Path(__file__).resolve().parents[2]


def tidy() -> Iterator[dict[str, str]]:
    """The long table, read again."""
    file = StringIO()
    write(SPRING, file)
    file.seek(0)
    return csv.DictReader(file)


def test_amounts_are_those_of_their_currency() -> None:
    """Yen have no cents and dinars three decimals: the table divides them, JSON has them as Stripe counts."""
    money = {each["currency"]: each for each in plain(SPRING)["total"]["money"]}
    assert (money["usd"]["due"], money["jpy"]["net"], money["kwd"]["unpaid"]) == (7600, 3800, 12345)
    assert plain(SPRING)["at_risk"] == [
        {"currency": "usd", "cases": 1, "amount": 1900},
        {"currency": "kwd", "cases": 1, "amount": 12345},
    ]
    at_risk = {row["currency"]: row["value"] for row in tidy() if row["metric"] == "at_risk"}
    assert at_risk == {"usd": "19.00", "kwd": "12.345"}


def test_months_of_json_say_whether_they_are_closed() -> None:
    """One without a case is, and has no rate."""
    months = {each["month"]: each for each in json.loads(json.dumps(plain(SPRING)))["months"]}
    assert {name: each["closed"] for name, each in months.items()} == {
        "2026-02": True,
        "2026-03": True,
        "2026-04": False,
    }
    assert months["2026-02"]["rate"] is None
    assert months["2026-03"]["rate"] == {"low": 0.75, "high": 0.75}
    assert months["2026-04"]["rate"] == {"low": 0, "high": 1}


def test_the_long_table_has_the_same_numbers() -> None:
    """Each under its names, and months come to the whole."""
    told = list(tidy())
    assert list(told[0]) == list(COLUMNS)

    def values(**wanted: str) -> list[Decimal]:
        return [
            Decimal(row["value"]) for row in told if all(row[name] == value for name, value in wanted.items())
        ]

    for metric in ("cases", "recovered", "open", "lost"):
        [whole] = values(metric=metric, cohort="all", dimension="")
        months = [value for month in (2, 3, 4) for value in values(metric=metric, cohort=f"2026-0{month}")]
        assert whole == plain(SPRING)["total"][metric] == sum(months)
    assert values(metric="net", cohort="all", dimension="", currency="jpy") == [Decimal(3800)]
    assert values(metric="recovered", dimension="cause", group="mail", currency="") == [3]
    assert values(metric="churn.voluntary", cohort="2026-03") == [2]
    assert values(metric="wait_median") == [3]
    assert len({tuple(row[name] for name in COLUMNS[:5]) for row in told}) == len(told)


def test_each_row_names_its_definition() -> None:
    """With the definition's unit, or that of a count that belongs to it."""
    for row in tidy():
        unit = DEFINITIONS[row["definition"]].unit.value
        assert row["unit"] == ("cases" if row["metric"] == "at_risk_cases" else unit), row


def test_every_definition_is_told_everywhere() -> None:
    """On the page, in JSON and in the documents, in the same words."""
    whole = page(SPRING)
    document = " ".join((ROOT / "docs" / "report.md").read_text(encoding="utf-8").split())
    for each in DEFINITIONS.values():
        assert f"**{each.title}** (`{each.id}`): {each.text}" in document
        assert plain(SPRING)["definitions"][each.id]["text"] == each.text
        assert each.title in whole.replace("&#39;", "'")
        if each.id != "at_risk":
            assert each.text in whole.replace("&#39;", "'").replace("&#34;", '"')


def test_every_group_has_a_name() -> None:
    """Whatever may have been the reason, the end or the cause."""
    assert set(CATEGORIES) == set(Category)
    assert set(OUTCOMES) == {*Outcome, "open", "passed_over"}
    assert set(CAUSES) == set(Cause)


def test_the_page_asks_nobody_for_anything() -> None:
    """No script, no address; what providers write is text and nothing else."""
    hostile = replace(LOST, code='<script>alert("x")</script>')
    whole = page(figures_of(PAID, hostile))
    assert "<script" not in whole
    assert re.findall(r"""(?:src|href|action)=["'](?!data:)""", whole) == []
    assert re.findall(r"url\((?!#)", whole) == []
    assert whole.count("<svg viewBox") == whole.count("</svg>") - 1
    assert "&lt;script&gt;" in whole


def test_each_chart_is_told_in_words_and_in_a_table() -> None:
    """For whoever does not see it."""
    whole = page(SPRING)
    images = re.findall(r'<svg [^>]*role="img" aria-labelledby="(\S+) (\S+)">', whole)
    assert len(images) == 7
    for title, about in images:
        assert re.search(f'<title id="{title}">[^<]+</title><desc id="{about}">[^<]+</desc>', whole)
    assert whole.count("<table>") >= len(images)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Nothing has failed so far"),
        ({"since": figures_of(PAID).since}, "Nothing has failed in Feb\N{NO-BREAK SPACE}2026"),
    ],
)
def test_nothing_is_told_kindly(changes: dict[str, Any], words: str) -> None:
    """One sentence, and no chart of nothing."""
    whole = page(figures_of(**changes))
    assert words in whole
    assert 'role="img"' not in whole


def test_months_without_a_failure_show_what_is_at_risk() -> None:
    """And no rate of nothing."""
    whole = page(figures_of(at_risk=(AtRisk("usd", 2, 3800),), since=figures_of(PAID).since))
    assert "No renewal failed in Feb" in whole
    assert "$38.00" in whole
    assert "Recovery rate" not in whole


def test_what_was_left_out_is_said() -> None:
    """Cases that are open, first payments, and the time before anybody watched."""
    found = figures_of(PAID, OPEN, first_payments=2, since=figures_of(PAID).made_at, test_clocks=True)
    whole = page(found)
    assert "1 case of these months may still be paid" in whole
    assert "Watched since April 20, 2026" in whole
    assert "2 first payments that failed" in whole
    assert "test clocks" in whole


@pytest.mark.parametrize(
    ("share", "shown"), [(0, "0%"), (0.004, "<1%"), (0.5, "50%"), (0.996, ">99%"), (1, "100%")]
)
def test_a_share_is_never_rounded_to_nothing_or_all(share: float, shown: str) -> None:
    """One case in a thousand is not none."""
    assert percent(share) == shown


def test_rates_and_waits_read_well() -> None:
    """A range only where both ends differ; hours where a day is too long."""
    assert (rate(Range(0.62, 0.8)), rate(Range(0.5, 0.5)), rate(None)) == ("62\N{EN DASH}80%", "50%", "-")
    assert (days(1 / 24), days(5 / 24), days(3), days(3.21)) == ("1 hour", "5 hours", "3 days", "3.2 days")
