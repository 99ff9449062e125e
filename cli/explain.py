"""`dunning explain`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.customers import BY_ANYTHING, AmbiguousError, one
from cli.database import read
from cli.moments import stamp, when
from cli.output import Json, print_error, print_json
from cli.tables import heading, say
from settings import ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from console.story import Explanation, Line, Story
    from console.view import View


def command(
    customer: Annotated[
        str, typer.Argument(help="cus_123, a mail address, or an invoice of theirs: in_123 or its number.")
    ],
    json: Json = False,
) -> None:
    """Tell a customer's story: what happened, what was done and why, what was not, what comes next.

    \b
    The worker's own rules are asked, so what is told is what will be done.
    A customer on a test clock is seen at the clock's time.
    Exit code 1 when nobody fits, 2 when several customers have the address.

    \b
    Examples:
      dunning explain cus_123
      dunning explain ada@example.com
      dunning explain ACME-0042       the invoice number that stands in a mail
      dunning explain cus_123 --json
    """
    from console.explain import explain

    try:
        seen = look_at(customer)
    except AmbiguousError as error:
        print_error("Which one?", str(error), error.hint)
        raise typer.Exit(2) from error
    told = explain(seen)
    if json:
        print_json(told)
    else:
        _tell(told)


def look_at(customer: str) -> View:
    """The view of the one customer that is meant."""
    from console import view
    from db.lookups import find_by_invoice, find_by_number, find_customers
    from worker.policy import policy

    settings = load(ToolSettings)

    async def work(connection: AsyncConnection) -> View:
        ways = (find_customers, find_by_invoice, find_by_number)
        found = await one(connection, customer, *ways, hint=BY_ANYTHING)
        return await view.read(connection, found.id, policy(settings), datetime.now(UTC))

    return read(settings, work)


def _tell(told: Explanation) -> None:
    heading(" · ".join(filter(None, [told.name, told.email, told.customer])))
    if told.test_clock:
        say(f"Lives on test clock {told.test_clock}, where it is {stamp(told.at)}.")
    say(told.summary, style="bold")
    if told.access.until:
        say(f"Until {when(told.access.until, told.at)}.")
    for story in told.stories:
        _tell_story(story, told.at)
    _part("Renewals to come", told.upcoming, told.at)
    _part("Earlier", told.earlier, told.at)


def _tell_story(story: Story, at: datetime) -> None:
    heading(f"Invoice {story.case.number or story.case.invoice}: {story.headline}", level=2)
    say(f"{story.case.invoice} of {story.case.subscription} ({story.case.subscription_status})", indent=2)
    _part("What happened", story.happened, at)
    _part("What was done", story.done, at)
    _part("What was not done", story.withheld, at)
    _part("What comes next, if nobody pays", story.coming, at)
    _part("What would change it", story.changes, at)


def _part(title: str, lines: Sequence[Line], at: datetime) -> None:
    if not lines:
        return
    heading(title, level=2)
    times = [when(line.at, at) if line.at else "" for line in lines]
    width = max(map(len, times))
    for line, time in zip(lines, times, strict=True):
        say(line.text, indent=2, label=time.ljust(width) + "  " if width else "")
