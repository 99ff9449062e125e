"""From the facts of a case to what a template prints: amounts, dates and cards as the reader writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from dunning.money import format_money
from emails.catalogue import CardLabel
from emails.context import Reader, card_label
from emails.decline_words import decline_words
from emails.names import clean_name
from portal.actions import Action
from portal.facts import Facts, State

NOON = time(12)
TEMPLATES = {
    State.OPEN: "open.html",
    State.PAID: "paid.html",
    State.ENDED: "ended.html",
    State.CLOSED: "closed.html",
}


def template_of(seen: Facts) -> str:
    """Which page it is."""
    return TEMPLATES[seen.state]


def offered(actions: Iterable[Action], seen: Facts) -> list[Action]:
    """What can be done about it here."""
    able = [action for action in actions if action.needs is None or action.needs in seen.can]
    return [action for action in able if action.suits(seen)]


def view(
    seen: Facts,
    reader: Reader,
    actions: Sequence[Action],
    *,
    plan: str | None = None,
    folder: Path | None = None,
) -> dict[str, Any]:
    """All that is printed on a page.

    `plan` is its name where the facts have none; `folder` holds the merchant's own templates of mails, whose
    words for declines are used here too.
    """
    words = decline_words(seen.category, reader, next_attempt_at=seen.next_attempt_at, folder=folder)
    shown = _plain(seen, reader) | {"words": words, "facts": seen, "actions": offered(actions, seen)}
    return shown | {"plan": clean_name(seen.plan or plan)}


def _plain(seen: Facts, reader: Reader) -> dict[str, Any]:
    def day(moment: date | None) -> str | None:
        return day_of(moment, reader)

    return {
        "number": clean_name(seen.number),
        "amount": format_money(seen.amount, reader.locale),
        "left": format_money(seen.left, reader.locale) if seen.left else None,
        "card": _card(seen.card),
        "declined": _card(seen.declined),
        "access_since": day(seen.access_since),
        "paid_on": day(seen.paid_at),
        "ended_on": day(seen.ended_at),
        "promised": day(seen.promised),
        "promise_last": day(seen.promise_within[1]) if seen.promise_within else None,
        "coming": [
            {"what": each.what, "date": day(each.at), "iso": each.at.isoformat()} for each in seen.coming
        ],
        "others": [
            (clean_name(each.number) or "…", format_money(each.amount, reader.locale)) for each in seen.others
        ],
    }


def day_of(when: date | None, reader: Reader) -> str | None:
    """A moment's day in the reader's zone, or a day of the calendar, as they write it; None of nothing."""
    if when is not None and not isinstance(when, datetime):
        when = datetime.combine(when, NOON, reader.timezone)
    return reader.moment(when).date if when else None


def _card(card: CardLabel | None) -> str | None:
    return card_label(card) if card else None
