"""`dunning api`."""

from typing import Annotated

import typer

from cli.overrides import environment
from settings import ApiSettings, load


def command(
    host: Annotated[str | None, typer.Option(help="Listen here instead of DUNNING_API_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Listen here instead of DUNNING_API_PORT; 0 takes any.")
    ] = None,
) -> None:
    """Answer whether a customer has access, and what to tell them. Needs the database, and nothing else.

    \b
    404 means that nothing has been heard of the customer.
    On any 5xx, or no answer, keep the access the customer had: nobody may be
    locked out because this service is away.

    \b
    Examples:
      dunning api --port 8081
      curl -H "Authorization: Bearer $KEY" \\
           http://127.0.0.1:8081/v1/access/cus_123
    """
    settings = load(ApiSettings, env=environment(DUNNING_API_HOST=host, DUNNING_API_PORT=port))
    from console.server import serve
    from settings.logging import configure

    configure("api", settings.log_format, settings.log_level)
    raise typer.Exit(serve(settings))
