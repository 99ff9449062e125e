"""`dunning forget`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.customers import AmbiguousError, one
from cli.database import write
from cli.output import CommandError, Json, print_error, print_json
from cli.saying import By, tried
from cli.tables import print_pairs, say
from settings import ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from worker.usecases.forget import Forgotten


def command(
    customer: Annotated[
        str, typer.Argument(metavar="CUSTOMER", help="The provider's id (cus_123) or a mail address.")
    ],
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it. Without it is only shown what it would do.")
    ] = False,
    even_with_open_case: Annotated[
        bool,
        typer.Option("--even-with-open-case", help="Although they owe something: they are dunned no more."),
    ] = False,
    lift: Annotated[
        bool, typer.Option("--lift", help="Let who they are be known again; what is gone stays gone.")
    ] = False,
    by: By = "",
    json: Json = False,
) -> None:
    """Forget who a customer is, and keep what happened: amounts, dates, states, reasons.

    \b
    Gone are name, addresses, language, country, metadata, cards on file, the text
    of mails, their addresses and what mail services said of them, links to their
    page, what people noted in their own words, and the content of events.
    No mail goes to them any more, and whatever the provider says of them later is
    counted without name and address, until you --lift it. They are not dunned, we
    take no access from them and charge nothing: nobody could warn them. Access
    ends when the provider ends the subscription, and a payment is a payment.
    So somebody who owes something is only forgotten with --even-with-open-case.

    \b
    It cannot be undone. Delete them at the provider and at your mail service too:
    docs/privacy.md. Safe to repeat.

    \b
    Examples:
      dunning forget cus_123              what would be removed
      dunning forget cus_123 --yes
      dunning forget cus_123 --lift --yes
    """
    from settings.logging import configure
    from worker.usecases.instruct import RefusedError

    settings = load(ToolSettings)
    configure("command", settings.log_format, "warning")
    try:
        if lift:
            _lift(settings, customer, by, yes=yes, json=json)
        else:
            _forget(settings, customer, by, yes=yes, json=json, open_cases_too=even_with_open_case)
    except AmbiguousError as error:
        print_error("Which one?", str(error), error.hint)
        raise typer.Exit(2) from error
    except RefusedError as error:
        raise CommandError(str(error)) from error


def _forget(
    settings: ToolSettings, customer: str, by: str, *, yes: bool, json: bool, open_cases_too: bool
) -> None:
    from db.lookups import find_customers
    from worker.policy import policy
    from worker.usecases.forget import forget

    async def work(connection: AsyncConnection) -> Forgotten:
        found = await one(connection, customer, find_customers)
        return await forget(
            connection,
            found.id,
            by=by,
            policy=policy(settings),
            now=datetime.now(UTC),
            open_cases_too=open_cases_too,
        )

    done = write(settings, work if yes else tried(work))
    if json:
        from dataclasses import asdict

        print_json({"done": yes, **asdict(done)})
    else:
        _show(done, yes=yes)


def _show(done: Forgotten, *, yes: bool) -> None:
    if not yes:
        say("Nothing was changed. With --yes this is removed for good:", style="bold")
    erased = done.erased
    print_pairs(
        [
            ("Known of them", ", ".join(done.known) or "nothing any more"),
            ("Mails and calls", erased.mails),
            ("Words of mail services", erased.mail_results),
            ("Links", erased.links),
            ("Notes", erased.notes),
            ("Events' content", erased.events),
            ("Answers of the API", erased.answers),
        ]
    )
    if erased.waiting:
        say(f"{erased.waiting} events are not applied yet: they lose their content when they are.")
    if done.open_cases:
        say(f"Nobody asks for {', '.join(done.open_cases)} any more.")
    if yes:
        again = " again" if done.already else ""
        say(f"{done.customer} is forgotten{again}. Delete them at the provider and at your mail service too.")


def _lift(settings: ToolSettings, customer: str, by: str, *, yes: bool, json: bool) -> None:
    from db.lookups import find_customers
    from worker.policy import policy
    from worker.usecases.forget import remember

    async def work(connection: AsyncConnection) -> str:
        found = await one(connection, customer, find_customers)
        await remember(
            connection,
            found.id,
            by=by,
            policy=policy(settings),
            zone=settings.timezone,
            now=datetime.now(UTC),
        )
        return found.ref

    ref = write(settings, work if yes else tried(work))
    if json:
        print_json({"done": yes, "customer": ref})
    elif yes:
        say(f"{ref} may be known again. Their name and address come with the provider's next word of them.")
    else:
        say(f"Nothing was changed. With --yes {ref} may be known again, and is dunned again.")
