"""An endpoint as commands find and show it. Its secret is in none of this."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.database import read
from cli.moments import stamp, when
from cli.output import CommandError
from settings import ToolSettings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from db.endpoints import Endpoint

Number = Annotated[int, typer.Argument(metavar="ENDPOINT", help="Its number in `dunning webhooks list`.")]


def find(settings: ToolSettings, number: int) -> Endpoint:
    """The endpoint with this number. Raises CommandError when there is none."""
    from db import endpoints

    async def work(connection: AsyncConnection) -> Endpoint | None:
        return await endpoints.find(connection, number)

    one = read(settings, work)
    if one is None:
        raise CommandError(f"There is no endpoint {number}.", "See `dunning webhooks list`.")
    return one


def state(one: Endpoint) -> str:
    """Whether it is told, and since when not."""
    if one.disabled_at:
        return f"disabled on {stamp(one.disabled_at)}: {one.disabled_why}"
    return f"has accepted nothing since {stamp(one.failing_since)}" if one.failing_since else "told"


def facts(one: Endpoint) -> list[tuple[str, object]]:
    """For a person."""
    now = datetime.now(UTC)
    return [
        ("Endpoint", one.id),
        ("URL", one.url),
        ("About", one.about),
        ("Events", ", ".join(one.types) or "all"),
        ("Added", when(one.created_at, now)),
        ("By", "DUNNING_WEBHOOK_ENDPOINTS" if one.from_settings else "a command"),
        ("Secrets", "two, while one is replaced" if len(one.secrets) > 1 else "one"),
        ("State", state(one)),
    ]
