"""`dunning customer exclude`, `pause`, `resume`, `address-works`: what is said of all of a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.customers import one
from cli.output import Json
from cli.resume_source import resume_source
from cli.saying import By, Days, DryRun, Until, Why, a_day, give
from dunning.instructions import Verb
from dunning.requests import Request

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from db.lookups import Found

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.command()(resume_source)

Customer = Annotated[
    str, typer.Argument(metavar="CUSTOMER", help="The provider's id (cus_123) or a mail address.")
]


@app.callback()
def root() -> None:
    """Exclude a customer from dunning, pause everything of theirs, go on, or write to them again."""


def _say(customer: str, verb: Verb, by: str, why: str, json: bool, dry_run: bool, **more: Any) -> None:
    async def find(connection: AsyncConnection) -> Found:
        from db.lookups import find_customers

        return await one(connection, customer, find_customers)

    give(find, Request(verb, by, why, **more), json=json, dry_run=dry_run)


@app.command()
def exclude(customer: Customer, why: Why, by: By = "", dry_run: DryRun = False, json: Json = False) -> None:
    """Never dun a customer: every case of theirs, now and later, is left alone until it is resumed.

    \b
    Examples:
      dunning customer exclude cus_123 --why "a partner, paid by bank transfer"
      dunning customer exclude ada@example.com --why "our own account" --dry-run
    """
    _say(customer, Verb.EXCLUDE, by, why, json, dry_run)


@app.command()
def pause(
    customer: Customer,
    why: Why,
    until: Until = None,
    days: Days = None,
    by: By = "",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Do nothing about any case of a customer until a day is over.

    \b
    Examples:
      dunning customer pause cus_123 --until 2026-04-30 --why "they move banks"
    """
    _say(customer, Verb.PAUSE, by, why, json, dry_run, **a_day(until, days))


@app.command()
def resume(customer: Customer, why: Why, by: By = "", dry_run: DryRun = False, json: Json = False) -> None:
    """Go on with a customer who was excluded or paused, and with all that was said of single cases.

    \b
    Examples:
      dunning customer resume cus_123 --why "the contract has ended"
    """
    _say(customer, Verb.RESUME, by, why, json, dry_run)


@app.command()
def address_works(
    customer: Customer, why: Why, by: By = "", dry_run: DryRun = False, json: Json = False
) -> None:
    """Write again to a customer whose mails came back: you have heard that their address works.

    An address that was corrected at the provider needs no word: it is another one. What came back last is
    sent once more, and a final warning counts only once it is accepted anew.

    \b
    Examples:
      dunning customer address-works cus_123 --why "they have emptied their mailbox"
    """
    _say(customer, Verb.ADDRESS_WORKS, by, why, json, dry_run)
