"""`dunning case stop`, `pause`, `resume`, `extend`, `forgive`, `hand-over`, `promise` and `acknowledge`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.customers import one
from cli.output import CommandError, Json
from cli.saying import By, Days, DryRun, Until, Why, a_day, give
from dunning.instructions import Verb
from dunning.requests import Request

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from db.lookups import Found

actions = typer.Typer(add_completion=False)

Case = Annotated[str, typer.Argument(metavar="CASE", help="The case's invoice: in_123.")]


def _say(case: str, verb: Verb, by: str, why: str, json: bool, dry_run: bool, **more: Any) -> None:
    async def find(connection: AsyncConnection) -> Found:
        from db.lookups import find_by_invoice

        if not await find_by_invoice(connection, case):
            raise CommandError(
                f"There is no case of {case}.", "`dunning case list --open` has those that want money."
            )
        return await one(connection, case, find_by_invoice)

    give(find, Request(verb, by, why, case, **more), json=json, dry_run=dry_run)


@actions.command()
def stop(case: Case, why: Why, by: By = "", dry_run: DryRun = False, json: Json = False) -> None:
    """Do nothing about a case any more: no mail, no charge of ours, no access taken.

    \b
    It holds until it is resumed or paid, also for later invoices of the same subscription.

    \b
    Examples:
      dunning case stop in_123 --why "they dispute the invoice"
    """
    _say(case, Verb.STOP, by, why, json, dry_run)


@actions.command()
def pause(
    case: Case,
    why: Why,
    until: Until = None,
    days: Days = None,
    by: By = "",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Do nothing until a day is over; access ends three days after it at the earliest.

    \b
    Examples:
      dunning case pause in_123 --until 2026-04-30 --why "their bank is closed"
      dunning case pause in_123 --days 5 --why "we look into it" --dry-run
    """
    _say(case, Verb.PAUSE, by, why, json, dry_run, **a_day(until, days))


@actions.command()
def resume(case: Case, why: Why, by: By = "", dry_run: DryRun = False, json: Json = False) -> None:
    """Go on with a case that was stopped, paused or handed over; the customer is warned anew.

    \b
    Examples:
      dunning case resume in_123 --why "the dispute is settled"
    """
    _say(case, Verb.RESUME, by, why, json, dry_run)


@actions.command()
def extend(
    case: Case,
    why: Why,
    days: Annotated[int, typer.Option(metavar="N", min=1, help="So many days more.")],
    by: By = "",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Let access end later: once in a case, and by as much as its policy allows. Mails go on.

    \b
    Examples:
      dunning case extend in_123 --days 7 --why "new card is in the post"
    """
    _say(case, Verb.EXTEND, by, why, json, dry_run, span=timedelta(days=days))


@actions.command()
def forgive(case: Case, why: Why, by: By = "", dry_run: DryRun = False, json: Json = False) -> None:
    """Drop the debt: the case is closed and what it took is given back at once.

    \b
    The invoice stays as it is at Stripe: void it there, or it may still be charged.

    \b
    Examples:
      dunning case forgive in_123 --why "our own mistake"
    """
    _say(case, Verb.FORGIVE, by, why, json, dry_run)


@actions.command("hand-over")
def hand_over(
    case: Case,
    why: Why,
    to: Annotated[str, typer.Option(metavar="NAME", help="Who takes it over.")],
    by: By = "",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Leave a case to a person: the program is silent and reminds them.

    \b
    Examples:
      dunning case hand-over in_123 --to maria --why "they have an account manager"
    """
    _say(case, Verb.HAND_OVER, by, why, json, dry_run, to=to)


@actions.command()
def promise(
    case: Case,
    why: Why,
    until: Until = None,
    days: Days = None,
    by: By = "",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Note the day on which the customer will pay: mails, charges and the end wait for it.

    \b
    A promise that is broken calls the team, and no further one is taken.

    \b
    Examples:
      dunning case promise in_123 --until 2026-04-03 --why "paid on the third, by phone"
    """
    _say(case, Verb.PROMISE, by, why, json, dry_run, **a_day(until, days))


@actions.command()
def acknowledge(case: Case, why: Why, by: By = "", dry_run: DryRun = False, json: Json = False) -> None:
    """Say that a person has seen the calls for a case, so that they are not repeated.

    \b
    Examples:
      dunning case acknowledge in_123 --why "I phone them today"
    """
    _say(case, Verb.ACKNOWLEDGE, by, why, json, dry_run)
