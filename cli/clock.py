"""`dunning clock`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.database import write
from cli.moments import stamp
from cli.nudging import nudge
from cli.output import CommandError, Json, print_json
from cli.tables import say
from settings import ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is for the customers of a source, and for how many of them something became due."""

    source: str
    at: datetime | None
    due: int


def command(
    source: Annotated[str, typer.Argument(help="A source of DUNNING_TEST_CLOCKS.")],
    to: Annotated[
        str | None,
        typer.Argument(help="The time to move it to, with an offset: 2026-03-01T09:00Z.", metavar="[TIME]"),
    ] = None,
    json: Json = False,
) -> None:
    """Tell or move the test clock of a billing system that has none of its own.

    \b
    The customers of the sources in DUNNING_TEST_CLOCKS live by such a clock:
    nothing becomes due for them until it is moved. Send events with times of
    the month that is rehearsed, and move the clock from day to day. It never
    goes back, and there is none in live mode.

    \b
    Examples:
      dunning clock acme
      dunning clock acme 2026-03-01T09:00Z
    """
    settings = load(ToolSettings)
    if source not in settings.test_clocks:
        raise CommandError(
            f"The customers of {source} live by the real time.",
            "Name it in DUNNING_TEST_CLOCKS, also for workers, in test mode.",
        )
    moment = _read(to) if to else None
    clock, due = write(settings, lambda connection: _move(connection, source, moment))
    nudge(settings, due)
    if json:
        print_json(clock)
        return
    say(f"{source}: {stamp(clock.at) if clock.at else 'not set yet; until then by the real time'}")
    if due:
        say(f"Something is due for {len(due)} of its customers.")


def _read(to: str) -> datetime:
    try:
        moment = datetime.fromisoformat(to)
        if moment.tzinfo is None:
            raise ValueError("no offset")
    except ValueError:
        raise CommandError(f"{to} is no time with an offset.", "Write it as 2026-03-01T09:00Z.") from None
    return moment


async def _move(connection: AsyncConnection, source: str, to: datetime | None) -> tuple[Clock, list[int]]:
    from db import accounts
    from worker.rehearsal import CLOCK

    due: list[int] = []
    if to:
        await accounts.move_clocks(connection, {(source, CLOCK): to})
        due = await accounts.due_on_clocks(connection, [(source, CLOCK)])
    at = await accounts.clock_of(connection, source, CLOCK)
    if to and at and at > to:
        raise CommandError(f"It is {stamp(at)} there already.", "A test clock never goes back.")
    return Clock(source, at, len(due)), due
