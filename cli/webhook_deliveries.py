"""`dunning webhooks deliveries`, `replay` and `test`."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.database import read, write
from cli.moments import when
from cli.nudging import nudge_endpoint
from cli.output import CommandError, Json, print_json
from cli.progress import progress
from cli.tables import in_terminal, print_rows, say
from cli.webhook_views import Number, find
from settings import ToolSettings, load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from db.deliveries import Delivery
    from db.endpoints import Endpoint
    from db.replay import Again
    from outbound.sending import Outcome

# Events that one transaction has sent again.
BATCH = 500


def deliveries(
    endpoint: Annotated[int | None, typer.Argument(metavar="[ENDPOINT]", help="Only to this one.")] = None,
    status: Annotated[
        Literal["pending", "delivered", "failed"] | None, typer.Option(help="Only those.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """List what was sent, the newest first: whether it was accepted, and what was answered instead.

    \b
    Examples:
      dunning webhooks deliveries
      dunning webhooks deliveries 1 --status failed
    """
    from db import deliveries as rows

    async def work(connection: AsyncConnection) -> Sequence[Delivery]:
        return await rows.latest(connection, endpoint=endpoint, status=status, most=limit)

    found = read(load(ToolSettings), work)
    if json:
        print_json(found)
        return
    now = datetime.now(UTC)
    print_rows(
        ["Event", "Type", "Endpoint", "Happened", "State", "Tries", "Answer"],
        [
            [
                one.message,
                one.type,
                one.endpoint_id,
                when(one.created_at, now),
                f"next try {when(one.due_at, now)}" if one.status == "pending" else one.status,
                one.attempts,
                one.error or one.code,
            ]
            for one in found
        ],
        empty="There is nothing to list.",
    )


def replay(
    number: Number,
    since: Annotated[
        datetime | None,
        typer.Option(
            metavar="TIME", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="What happened since then (UTC)."
        ),
    ] = None,
    event: Annotated[
        str | None, typer.Option(metavar="TYPE|ID", help="Only events of a type, or the one with this id.")
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what it has not accepted.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count them.")] = False,
    json: Json = False,
) -> None:
    """Send events again, with their old ids, so that a receiver can tell what it has seen.

    What happened before the endpoint was added is sent only with --since.

    \b
    Examples:
      dunning webhooks replay 1 --failed              what it has missed
      dunning webhooks replay 1 --since 2026-11-01    all since then
      dunning webhooks replay 1 --event msg_...       this one
    """
    from db.replay import Again

    if since is None and event is None and not failed:
        raise typer.BadParameter("say which: --since, --event or --failed")
    settings = load(ToolSettings)
    one = find(settings, number)
    if one.disabled_at and not dry_run:
        raise CommandError(f"Endpoint {number} is disabled.", f"First: dunning webhooks enable {number}")
    again = Again(since and since.replace(tzinfo=UTC), *_event(event), failed=failed)
    total, sent = _replay(settings, one, again, dry_run=dry_run, quiet=json)
    if json:
        print_json({"endpoint": number, "dry_run": dry_run, "matching": total, "sent_again": sent})
    elif dry_run:
        say(f"{total} events would be sent again.")
    else:
        say(f"{sent} events are sent again. `dunning webhooks deliveries {number}` shows how far that is.")


def _event(given: str | None) -> tuple[str | None, str | None]:
    """A type and an id; one of them at most."""
    from dunning.outgoing import EventType

    if given is None or given in list(EventType):
        return given, None
    if given.startswith("msg_"):
        return None, given
    raise typer.BadParameter(f"{given} is neither an id nor one of {', '.join(EventType)}")


def _replay(
    settings: ToolSettings, endpoint: Endpoint, again: Again, *, dry_run: bool, quiet: bool
) -> tuple[int, int]:
    """How many events there are, and how many are sent again: in batches, so that it may be interrupted."""
    from db.replay import matching, send_again

    async def look(connection: AsyncConnection) -> list[int]:
        return await matching(connection, endpoint, again)

    async def again_to(connection: AsyncConnection, part: list[int]) -> int:
        return await send_again(connection, endpoint.id, part)

    events = read(settings, look)
    if dry_run:
        return len(events), 0
    sent = 0
    with progress("Events", len(events), shown=in_terminal() and not quiet) as advance:
        for start in range(0, len(events), BATCH):
            part = events[start : start + BATCH]
            sent += write(settings, partial(again_to, part=part))
            nudge_endpoint(settings, endpoint.id)
            advance(len(part))
    return len(events), sent


def try_out(number: Number, json: Json = False) -> None:
    """Send an example event now, from here, and print what is answered. Exit code 1 if it is not accepted.

    Its type is `webhooks.test`; a receiver that checks signatures answers it as any other.

    \b
    Example:
      dunning webhooks test 1
    """
    settings = load(ToolSettings)
    outcome = asyncio.run(_send_test(settings, find(settings, number)))
    accepted = outcome.error is None
    if json:
        print_json({"endpoint": number, "accepted": accepted, "code": outcome.code, "error": outcome.error})
    elif accepted:
        say(f"Accepted with {outcome.code}.", style="green")
    else:
        say(f"Not accepted: {outcome.error}.", style="bold red")
    raise typer.Exit(0 if accepted else 1)


async def _send_test(settings: ToolSettings, one: Endpoint) -> Outcome:
    from dunning.outgoing import trial_body
    from outbound.addresses import Rules
    from outbound.post import Poster
    from outbound.sending import send

    poster = Poster(Rules(private=settings.webhook_private_addresses, plain=not settings.livemode))
    message = f"msg_test_{uuid.uuid4().hex}"
    return await send(poster, one.url, one.secrets, message, trial_body(datetime.now(UTC)))
