"""What becomes of an inbox row that cannot be applied now, or ever."""

from __future__ import annotations

import structlog

from db import inbox
from db.inbox import InboxRow
from db.passing import TOO_SLOW, code_of, passes
from db.words import FromLaterError
from providers.lookup import ProviderUnavailableError
from worker.services import Services

log = structlog.get_logger()


async def failed(services: Services, row: InboxRow, error: Exception) -> None:
    """Keep the error with the row; the scheduler hands it out again and retires it after some attempts.

    What was no fault of the row counts as none: a lock that is held for minutes must not retire good events,
    nor must a version that is older than what it reads, since a newer worker is about to come.
    """
    log.exception("event.failed", event_id=row.event_id, type=row.type, error=type(error).__name__)
    text = f"{type(error).__name__}: {error}"[:500]
    innocent = isinstance(error, FromLaterError) or (passes(error) and code_of(error) != TOO_SLOW)
    async with services.engine.begin() as connection:
        await inbox.note_failure(connection, row.id, text, counts=not innocent)


async def retire(services: Services, row: InboxRow, error: Exception) -> None:
    """It can never be read: kept and shown, and not tried again."""
    async with services.engine.begin() as connection:
        await inbox.mark_dead(connection, row.id, f"{type(error).__name__}: {error}"[:500])
    log.error("event.retired", event_id=row.event_id, type=row.type, error=type(error).__name__)


async def wait(services: Services, row: InboxRow, error: ProviderUnavailableError) -> None:
    """Somebody has to be asked and does not answer, or has to tell and has not yet: later, uncounted."""
    log.warning("event.waits_for_provider", event_id=row.event_id, error=str(error))
    async with services.engine.begin() as connection:
        await inbox.let_wait(connection, row.id, f"provider unavailable: {error}")
