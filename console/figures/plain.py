"""Figures as plain JSON values; amounts in the currency's smallest unit, as Stripe counts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from console.figures import Figures
from console.figures.definitions import DEFINITIONS
from console.figures.shown import AMOUNTS, COUNTS, Line, lines, total
from console.figures.tally import Dimension, Range, Tally

CHURN = ("voluntary", "involuntary", "unknown")


def plain(figures: Figures) -> dict[str, Any]:
    """Everything, with the definition of each number under its name."""
    return {
        "period": {
            "from": f"{figures.period.first:%Y-%m}",
            "to": f"{figures.period.last:%Y-%m}",
            "time_zone": figures.period.zone.key,
        },
        "made_at": iso(figures.made_at),
        "watched_since": iso(figures.since),
        "currency": figures.currency,
        "test_clocks": figures.test_clocks,
        "left_out": {"first_payments": figures.first_payments},
        "at_risk": [
            {"currency": each.currency, "cases": each.cases, "amount": each.amount}
            for each in figures.at_risk
        ],
        "total": _line(total(figures)),
        "months": [
            {"month": line.key, "closed": line.counts.open == 0} | _line(line)
            for line in lines(figures, Dimension.MONTH)
        ],
        "reasons": _groups(figures, Dimension.CATEGORY),
        "codes": _groups(figures, Dimension.CODE),
        "outcomes": _groups(figures, Dimension.OUTCOME),
        "causes": _groups(figures, Dimension.CAUSE),
        "time_to_recover": _wait(figures),
        "churn": [
            {"month": f"{month:%Y-%m}"} | {why: figures.ended.get(month, {}).get(why, 0) for why in CHURN}
            for month in figures.period.months()
        ],
        "definitions": {each.id: asdict(each) for each in DEFINITIONS.values()},
    }


def _groups(figures: Figures, dimension: Dimension) -> list[dict[str, Any]]:
    return [{dimension.value: line.key} | _line(line) for line in lines(figures, dimension)]


def _line(line: Line) -> dict[str, Any]:
    counts = {name: count(line.counts) for name, count in COUNTS.items()}
    return counts | {"rate": _range(line.counts.rate), "money": _money(line.money)}


def _money(by_currency: Mapping[str, Tally]) -> list[dict[str, Any]]:
    return [
        {"currency": code}
        | {name: amount(tally) for name, amount in AMOUNTS.items()}
        | {"rate": _range(tally.money_rate)}
        for code, tally in by_currency.items()
    ]


def _range(share: Range | None) -> dict[str, float] | None:
    return {"low": round(share.low, 4), "high": round(share.high, 4)} if share else None


def _wait(figures: Figures) -> dict[str, Any]:
    quartiles = figures.waits.quartiles()
    days = {name: round(value, 2) for name, value in asdict(quartiles).items()} if quartiles else None
    by_day = [
        {"day": point.day, "share": round(point.share, 4), "watched": point.watched}
        for point in figures.waits.curve()
    ]
    return {"recovered": figures.waits.recovered, "days": days, "by_day": by_day}


def iso(moment: datetime | None) -> str | None:
    """An instant in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else None
