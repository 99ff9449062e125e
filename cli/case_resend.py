"""`dunning case resend`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cli.case_actions import Case
from cli.customers import one
from cli.database import write
from cli.nudging import nudge_mail
from cli.output import CommandError, Json, print_json
from cli.saying import By, DryRun, Why, tried
from cli.tables import say
from settings import ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from worker.usecases.resend import Resent


@dataclass(frozen=True, slots=True)
class SentAgain:
    """What is said of it to scripts."""

    dry_run: bool
    customer: str
    case: str
    step: str
    title: str


def resend(case: Case, why: Why, by: By = "", dry_run: DryRun = False, json: Json = False) -> None:
    """Send the newest mail of a case once more, written anew as of now: three times a day at most.

    \b
    A final warning is repeated only while its end still holds. What is sent again
    counts for nothing: no reminder is left out for it, and no end waits for it.

    \b
    Examples:
      dunning case resend in_123 --why "they deleted it, by phone"
    """
    from console.words import step_title
    from settings.logging import configure

    settings = load(ToolSettings)
    configure("command", settings.log_format, "warning")
    sent = _resend(settings, case, by, why, dry_run=dry_run)
    if not dry_run:
        nudge_mail(settings, sent.rows)
    title = step_title(sent.step)
    if json:
        print_json(SentAgain(dry_run, sent.customer, sent.case, sent.step, title))
        return
    if dry_run:
        say("Only tried, nothing was changed. It would be:", style="bold")
    say(f"{title}.")


def _resend(settings: ToolSettings, case: str, by: str, why: str, *, dry_run: bool) -> Resent:
    from db.lookups import find_by_invoice
    from worker.policy import policy
    from worker.usecases.instruct import RefusedError
    from worker.usecases.resend import resend as resend_mail

    rules, now = policy(settings), datetime.now(UTC)

    async def work(connection: AsyncConnection) -> Resent:
        if not await find_by_invoice(connection, case):
            raise CommandError(
                f"There is no case of {case}.", "`dunning case list --open` has those that want money."
            )
        found = await one(connection, case, find_by_invoice)
        return await resend_mail(connection, found.id, case, by=by, why=why, policy=rules, now=now)

    try:
        return write(settings, tried(work) if dry_run else work)
    except RefusedError as error:
        raise CommandError(str(error)) from error
