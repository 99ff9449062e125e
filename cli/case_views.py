"""How cases look: a list of them, and one with everything behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from cli.moments import hint, when
from cli.tables import heading, in_terminal, print_pairs, print_rows

if TYPE_CHECKING:
    from console.cases import CaseFacts
    from console.file import CaseFile
    from dunning.declines import Category

Seen = tuple["CaseFacts", datetime]
"""A case, and the time its customer lives in."""


def print_list(seen: Sequence[Seen]) -> None:
    """Print one row per case."""
    columns = ["Customer", "Invoice", "Subscription", "Since", "Tries", "Why", "Access until", "Next"]
    rows = [_row(facts, at) for facts, at in seen]
    if in_terminal():
        # Long ids side by side leave no room for anything else: what belongs together is stacked.
        columns = ["Customer, invoice, subscription", "Since, tries, why", "Access until, next"]
        rows = [["\n".join(row[:3]), "\n".join(row[3:6]), "\n".join(row[6:])] for row in rows]
    print_rows(columns, rows, empty="No cases.")


def _row(facts: CaseFacts, at: datetime) -> list[str]:
    coming = facts.next
    return [
        facts.customer,
        facts.invoice,
        facts.subscription,
        _day(facts.opened_at, at),
        _tries(facts.attempts),
        facts.category.value.replace("_", " "),
        _until(facts, at),
        f"{coming.title} ({hint(coming.at, at)})" if coming else "-",
    ]


def _tries(number: int) -> str:
    if not in_terminal():
        return str(number)
    return "1 try" if number == 1 else f"{number} tries"


def _until(facts: CaseFacts, at: datetime) -> str:
    if facts.outcome:
        return f"closed: {facts.outcome.value.replace('_', ' ')}"
    return _day(facts.access_until, at) if facts.access_until else facts.taken or "-"


def _day(moment: datetime, at: datetime) -> str:
    return f"{moment:%Y-%m-%d} ({hint(moment, at)})"


def print_file(file: CaseFile, at: datetime) -> None:
    """Print a case in full; `at` is its customer's time."""
    facts = file.facts
    heading(f"{facts.invoice} · {'open' if facts.is_open else facts.outcome}")
    print_pairs(_pairs(file, at))
    heading("Charges that failed", level=2)
    print_rows(
        ["When", "Charge", "Card", "Why"],
        [
            [when(one.at, at), one.charge, one.card, _why(one.category, one.decline_code)]
            for one in file.ledger
        ],
        empty="None is known.",
    )
    heading("Timeline", level=2)
    print_rows(
        ["When", "What", "Why"],
        [[when(one.at, at), _what(one.title, one.about), one.reason] for one in file.timeline],
        empty="Nothing is written down.",
    )
    heading("Messages", level=2)
    print_rows(
        ["When", "Message", "To", "Status", "Tries", "Error"],
        [
            [
                when(one.accepted_at or one.created_at, at),
                one.title,
                one.recipient or one.channel,
                one.status,
                one.attempts,
                one.last_error,
            ]
            for one in file.messages
        ],
        empty="None.",
    )
    heading("What comes next, if nobody pays", level=2)
    print_rows(
        ["When", "What", "Why"],
        [[when(step.at, at), step.title, step.reason] for step in file.coming],
        empty="Nothing is planned.",
    )
    heading("What is held back", level=2)
    print_rows(
        ["What", "Why"], [[one.title, one.reason] for one in file.withheld], empty="Nothing is held back."
    )


def _pairs(file: CaseFile, at: datetime) -> list[tuple[str, object]]:
    from dunning.money import Money, format_money

    facts = file.facts
    stated = f"{facts.attempts} really made, {facts.attempts_counted} counted by {facts.source.capitalize()}"
    pairs: list[tuple[str, object]] = [
        ("Customer", " · ".join(filter(None, [facts.name, facts.email, facts.customer]))),
        ("Subscription", f"{facts.subscription} ({facts.subscription_status})"),
        ("Plan", facts.plan),
        ("Amount", format_money(Money(facts.amount, facts.currency), "en")),
        ("Since", when(facts.opened_at, at)),
        ("Attempts", stated),
        ("Why", _why(facts.category, facts.decline_code)),
        ("Access", f"{file.access_level.value}: {file.access_reason.value}"),
    ]
    said = [("On hold", facts.hold), ("Taken over by", facts.owner), ("Promises", file.promises_broken)]
    pairs += [(name, value) for name, value in said if value]
    if facts.acknowledged_at:
        pairs.append(("Calls acknowledged", when(facts.acknowledged_at, at)))
    if facts.is_open:
        pairs += [
            ("Access until", facts.taken or when(facts.access_until, at)),
            (f"{facts.source.capitalize()} tries again", _tries_again(facts, at)),
        ]
    else:
        pairs.append(("Closed", f"{when(facts.closed_at, at)}: {facts.outcome}"))
    return pairs


def _why(category: Category, code: str | None) -> str:
    """`insufficient_funds`, or `masked (stolen_card)` where the code says more."""
    return category.value if code in (None, category.value) else f"{category.value} ({code})"


def _what(title: str, about: str | None) -> str:
    return f"{title}: {about}" if about else title


def _tries_again(facts: CaseFacts, at: datetime) -> str:
    text = when(facts.provider_tries_again_at, at)
    if facts.provider_tries_again_at and not facts.retried_by_provider:
        text += ", but not on this card"
    return text
