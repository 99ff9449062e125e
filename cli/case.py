"""`dunning case list` and `dunning case show`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.customers import AmbiguousError, one
from cli.database import read
from cli.moments import hint, when
from cli.output import Json, print_error, print_json
from cli.tables import heading, in_terminal, print_pairs, print_rows, say
from settings import ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from console.cases import CaseFacts
    from console.file import CaseFile
    from dunning.declines import Category

    Seen = tuple[CaseFacts, datetime]
    """A case, and the time its customer lives in."""

app = typer.Typer(no_args_is_help=True, add_completion=False, help="List dunning cases and show one.")


@app.command("list")
def list_(
    only_open: Annotated[bool, typer.Option("--open", help="Only cases that still want money.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 100,
    json: Json = False,
) -> None:
    """List cases: open ones first, the oldest on top, then those closed, the latest on top.

    \b
    Examples:
      dunning case list --open
      dunning case list --json | jq '.[] | select(.attempts >= 3)'
    """
    seen = _read_cases(load(ToolSettings), only_open=only_open, limit=limit + 1)
    more, seen = len(seen) > limit, seen[:limit]
    if json:
        print_json([facts for facts, _ in seen])
        return
    _print_list(seen)
    if more:
        say(f"There are more than {limit}: see --limit.")


def _read_cases(settings: ToolSettings, *, only_open: bool, limit: int) -> list[Seen]:
    from console.cases import facts
    from console.view import look
    from db import accounts, lookups
    from worker.build import policy

    now, rules = datetime.now(UTC), policy(settings)

    async def work(connection: AsyncConnection) -> list[Seen]:
        keys = await lookups.list_cases(connection, only_open=only_open, limit=limit)
        loaded = await accounts.load(connection, sorted({key.customer_id for key in keys}))
        views = {row: look(one, rules, now) for row, one in loaded.items()}
        seen = [(views[key.customer_id], key.invoice) for key in keys]
        return [(facts(view, view.account.cases[invoice]), view.at) for view, invoice in seen]

    return read(settings, work)


def _print_list(seen: Sequence[Seen]) -> None:
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


@app.command()
def show(
    wanted: Annotated[
        str,
        typer.Argument(metavar="INVOICE|CUSTOMER", help="in_123, cus_123 or the customer's mail address."),
    ],
    json: Json = False,
) -> None:
    """Show all that is known of a case: facts, charges, timeline, messages, and what comes next.

    For a customer it shows the open cases, or else the one that was closed last.

    \b
    Examples:
      dunning case show in_123
      dunning case show ada@example.com
      dunning case show cus_123 --json
    """
    try:
        files, at = _read_files(load(ToolSettings), wanted)
    except AmbiguousError as error:
        print_error("Which one?", str(error), error.hint)
        raise typer.Exit(2) from error
    if json:
        print_json(files)
        return
    for number, file in enumerate(files):
        if number:
            say("")
        _print_file(file, at)
    if not files:
        say(f"{wanted} has no case: no renewal has ever failed.")


def _read_files(settings: ToolSettings, wanted: str) -> tuple[list[CaseFile], datetime]:
    from console import view
    from console.cases import shown
    from console.file import case_file
    from db.lookups import find_by_invoice, find_customers
    from worker.build import policy

    async def work(connection: AsyncConnection) -> tuple[list[CaseFile], datetime]:
        found = await one(connection, wanted, find_by_invoice, find_customers)
        seen = await view.read(connection, found.id, policy(settings), datetime.now(UTC))
        invoice = wanted if wanted in seen.account.cases else None
        return [case_file(seen, case) for case in shown(seen, invoice)], seen.at

    return read(settings, work)


def _print_file(file: CaseFile, at: datetime) -> None:
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
