"""`dunning case`: the cases, one of them, and what people say about it (`cli.case_actions`)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.case_actions import actions
from cli.case_resend import resend
from cli.case_views import Seen, print_file, print_list
from cli.customers import BY_ANYTHING, AmbiguousError, one
from cli.database import read
from cli.output import Json, print_error, print_json
from cli.tables import say
from settings import ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from console.file import CaseFile

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def root() -> None:
    """List dunning cases, show one, and say what is to be done about it."""


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
    print_list(seen)
    if more:
        say(f"There are more than {limit}: see --limit.")


def _read_cases(settings: ToolSettings, *, only_open: bool, limit: int) -> list[Seen]:
    from console.cases import facts
    from console.view import look
    from db import accounts, lookups
    from worker.policy import policy

    now, rules = datetime.now(UTC), policy(settings)

    async def work(connection: AsyncConnection) -> list[Seen]:
        keys = await lookups.list_cases(connection, only_open=only_open, limit=limit)
        loaded = await accounts.load(connection, sorted({key.customer_id for key in keys}))
        views = {row: look(one, rules, now) for row, one in loaded.items()}
        seen = [(views[key.customer_id], key.invoice) for key in keys]
        return [(facts(view, view.account.cases[invoice]), view.at) for view, invoice in seen]

    return read(settings, work)


@app.command()
def show(
    wanted: Annotated[
        str,
        typer.Argument(
            metavar="INVOICE|CUSTOMER",
            help="in_123 or the invoice's number; cus_123 or the customer's mail address.",
        ),
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
        print_file(file, at)
    if not files:
        say(f"{wanted} has no case: no renewal has ever failed.")


def _read_files(settings: ToolSettings, wanted: str) -> tuple[list[CaseFile], datetime]:
    from console import view
    from console.cases import shown
    from console.file import case_file
    from db.lookups import find_by_invoice, find_by_number, find_customers
    from worker.policy import policy

    async def work(connection: AsyncConnection) -> tuple[list[CaseFile], datetime]:
        ways = (find_by_invoice, find_customers, find_by_number)
        found = await one(connection, wanted, *ways, hint=BY_ANYTHING)
        seen = await view.read(connection, found.id, policy(settings), datetime.now(UTC))
        invoices = seen.account.invoices
        named = (ref for ref in seen.account.cases if wanted in (ref, invoices[ref].number))
        invoice = next(named, None)
        return [case_file(seen, case) for case in shown(seen, invoice)], seen.at

    return read(settings, work)


# Listed after those that only look.
app.registered_commands += actions.registered_commands
app.command()(resend)
