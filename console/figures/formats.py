"""Numbers as the team reads them: English, by CLDR."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from babel.dates import format_skeleton
from babel.numbers import format_decimal, format_percent

from console.figures.period import Period
from console.figures.tally import Range
from dunning.money import Money, format_money

LOCALE = "en"
NOTHING = "-"
DASH = "\N{EN DASH}"


def number(value: int) -> str:
    return format_decimal(value, locale=LOCALE)


def money(amount: int, currency: str) -> str:
    """An amount in minor units: `$1,900.00`, `¥500`."""
    return format_money(Money(amount, currency), LOCALE)


def percent(share: float) -> str:
    """Whole per cent; what is not quite nothing or all is never rounded to it."""
    if 0 < share < 0.01:
        return "<1%"
    if 0.99 < share < 1:
        return ">99%"
    return format_percent(share, locale=LOCALE)


def rate(share: Range | None) -> str:
    """`71%`, or from `62` to `80%` while nobody knows."""
    if share is None:
        return NOTHING
    low, high = percent(share.low), percent(share.high)
    return low if low == high else f"{low.rstrip('%')}{DASH}{high}"


def days(value: float) -> str:
    """`5 hours` or `3.2 days`."""
    if value < 1:
        hours = round(value * 24)
        return f"{hours} hour" if hours == 1 else f"{hours} hours"
    return f"{format_decimal(value, '#,##0.#', locale=LOCALE)} days"


def many(count: int, what: str) -> str:
    """`1 case`, `2,345 cases`."""
    return f"{number(count)} {what}{'' if count == 1 else 's'}"


def month(day: date) -> str:
    return format_skeleton("yMMM", day, locale=LOCALE).replace(" ", "\N{NO-BREAK SPACE}")


def months(period: Period) -> str:
    """From `Mar 2026` to `Nov 2026`, or one month."""
    first, last = month(period.first), month(period.last)
    return first if first == last else f"{first} {DASH} {last}"


def amounts(by_currency: Mapping[str, int]) -> str:
    """Of several currencies, side by side; a dash for none."""
    return ", ".join(money(amount, code) for code, amount in by_currency.items()) or NOTHING
