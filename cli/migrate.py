"""`dunning migrate`."""

import asyncio
from typing import Annotated

import typer

from cli.output import CommandError
from settings import ToolSettings, load


def command(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 when migrations wait.")
    ] = False,
) -> None:
    """Bring the database in DATABASE_URL to the newest schema, while everything else runs.

    Safe to repeat, to interrupt and to run twice at once.

    \b
    Examples:
      dunning migrate            before the processes of a new version start
      dunning migrate --check    in a deployment that must not change the schema
    """
    from settings.logging import configure

    settings = load(ToolSettings)
    configure("migrate", settings.log_format, settings.log_level)
    url = settings.database_url_sqlalchemy
    import asyncpg  # type: ignore[import-untyped]  # ships no annotations

    from db import schema
    from db.migrate import InUseError, standing, upgrade

    try:
        found = asyncio.run(standing(url))
        waiting = found.waiting
        if waiting and not check:
            upgrade(url)
    except InUseError as error:
        raise CommandError(
            f"A table was held by others for a minute: {error}",
            "Run `dunning migrate` again, it goes on from here; pg_stat_activity shows who holds on.",
        ) from error
    # SQLAlchemy leaves asyncpg's errors as they are only while it connects; those are the operator's to mend.
    except (OSError, asyncpg.PostgresError) as error:
        raise CommandError(f"The database cannot be used: {error}", "Look at DATABASE_URL.") from error
    if waiting and check:
        raise CommandError(f"Migrations wait: {', '.join(waiting)}", "Run `dunning migrate`.")
    if found.standing == "ahead":
        typer.echo(
            f"The database is newer ({found.revision}) than this version ({schema.HEAD}): nothing to do."
        )
        return
    typer.echo(f"Migrated: {', '.join(waiting)}" if waiting else "The database is up to date.")
