"""`dunning access`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.database import CONNECT_LIMIT, READ_ONLY, failure
from cli.moments import stamp, when
from cli.output import Json, print_error, print_json
from cli.tables import heading, print_pairs
from settings import ToolSettings, load

if TYPE_CHECKING:
    from db.access import AccessRow

UNKNOWN = 3
REVOKED = 4


def command(
    customer: Annotated[str, typer.Argument(help="The billing provider's id, such as cus_123.")],
    source: Annotated[
        str | None, typer.Option(help="The billing provider: the only one there is, else Stripe.")
    ] = None,
    json: Json = False,
) -> None:
    """Say whether a customer has access, until when, and why: what the access API answers.

    \b
    Exit codes:
      0  has access: full, warned or limited
      1  it could not be found out; lock nobody out for that
      3  nothing has been heard of this customer
      4  has no access

    \b
    Examples:
      dunning access cus_123
      dunning access cus_123 --json | jq -r .level
    """
    dsn = load(ToolSettings).database_dsn
    row = _read(dsn, source, customer)
    if row is None:
        print_error(
            "Unknown",
            f"Nothing has been heard of {customer}{f' from {source}' if source else ''}.",
            "Give the billing provider's id, such as cus_123; `dunning explain` knows mail addresses and "
            "invoices as well.",
        )
        raise typer.Exit(UNKNOWN)
    from console.answer import answer

    now = datetime.now(UTC)
    said = answer(row, now=now)
    if json:
        print_json(said)
    else:
        _show(row, row.clock or now, said["banner"])
    raise typer.Exit(0 if said["access"] else REVOKED)


def _show(row: AccessRow, at: datetime, banner: str | None) -> None:
    from console.words import LEVELS, REASONS

    heading(f"{row.customer}: {row.level}")
    pairs: list[tuple[str, object]] = [
        ("Access", LEVELS.get(row.level, row.level)),
        ("Why", f"{REASONS.get(row.reason, 'a reason of a newer version')} ({row.reason})"),
        ("Until", when(row.until, at)),
        ("Since", when(row.changed_at, at)),
        ("Subscription", row.subscription),
        ("Banner", banner),
    ]
    if row.clock:
        pairs.append(("Test clock", stamp(row.clock)))
    print_pairs(pairs)


def _read(dsn: str, source: str | None, customer: str) -> AccessRow | None:
    """By asyncpg alone, like the API: a script may ask often."""
    import asyncpg  # type: ignore[import-untyped]  # ships no annotations

    from db import access
    from db.connecting import connect

    async def ask() -> AccessRow | None:
        connection = await connect(dsn, timeout=CONNECT_LIMIT, server_settings=READ_ONLY)
        try:
            return await access.read(connection, source, customer)
        finally:
            await connection.close()

    try:
        return asyncio.run(ask())
    except (OSError, asyncpg.PostgresError) as error:
        raise failure(error, getattr(error, "sqlstate", None)) from error
