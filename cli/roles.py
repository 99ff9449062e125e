"""`dunning roles`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import Json, print_json
from cli.tables import say

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


def command(
    apply: Annotated[
        bool, typer.Option("--apply", help="Make the roles and give them their rights, now.")
    ] = False,
    json: Json = False,
) -> None:
    """Print the database roles of the processes as SQL, or make them with --apply.

    \b
    One for each process, which may read and write what its statements need and no
    more: the receiver can read no event, the scheduler can change no access, the
    API no invoice, the page can read no key and no secret. They cannot log in:
    make logins of your own that are members of them, and give each process its
    own DATABASE_URL.
    Run it as whoever owns the tables and may make roles. Safe to repeat.

    \b
    Examples:
      dunning roles                 as SQL, for whoever runs the database
      dunning roles --apply
      psql -c "CREATE ROLE acme_api LOGIN PASSWORD '...' IN ROLE dunning_api"
    """
    from db import roles

    if not apply:
        if json:
            print_json(roles.statements())
            return
        for process, about in roles.ABOUT.items():
            typer.echo(f"-- {roles.role(process)}: {about}")
        for statement in roles.statements():
            typer.echo(f"{statement};")
        return
    from cli.database import write
    from settings import ToolSettings, load

    async def work(connection: AsyncConnection) -> list[str]:
        return await roles.apply(connection, make=True)

    made = write(load(ToolSettings), work)
    if json:
        print_json(made)
        return
    for name in made:
        say(f"{name} has its rights.")
