"""`dunning portal`."""

from typing import Annotated

import typer

from cli.overrides import environment
from settings import PortalSettings, load


def command(
    host: Annotated[str | None, typer.Option(help="Listen here instead of DUNNING_PORTAL_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Listen here instead of DUNNING_PORTAL_PORT; 0 takes any.")
    ] = None,
) -> None:
    """Show customers the page where a failed payment is fixed. Needs the database and Redis.

    \b
    Mails lead there once the workers have DUNNING_PORTAL_URL and the same
    DUNNING_LINK_SECRETS. Put a TLS proxy in front of it.

    \b
    Examples:
      dunning portal
      dunning portal --host 0.0.0.0   in a container
      dunning link cus_123            a link to a customer's page
    """
    settings = load(PortalSettings, env=environment(DUNNING_PORTAL_HOST=host, DUNNING_PORTAL_PORT=port))
    from portal.server import serve
    from settings.logging import configure

    configure("portal", settings.log_format, settings.log_level)
    raise typer.Exit(serve(settings))
