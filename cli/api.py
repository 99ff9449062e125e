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
    """Answer whether a customer has access, list cases, take decisions. Needs the database, nothing else.

    \b
    Keys: DUNNING_API_KEYS may ask for access; `dunning keys create` makes those
    with other scopes. docs/api.md has every request; /v1/openapi.json too.
    404 for access means that nothing has been heard of the customer.
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
