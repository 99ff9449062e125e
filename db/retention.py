"""What is kept for so long and no longer, taken away in small batches. All ages are by the database's clock.

Two schedulers share the work: a batch is chosen with SKIP LOCKED, in a WITH that is asked once. Each looks at
an index that holds only what is still to be taken away, so that nothing due costs nothing: by
statement_timestamp(), since clock_timestamp() moves while a statement runs, and no index is entered at that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import api_requests

BATCH = 2000


@dataclass(frozen=True, slots=True)
class Keep:
    """How long events, their content, mails, links and what applications are told are kept."""

    events: timedelta
    payloads: timedelta
    mails: timedelta
    links: timedelta
    outgoing: timedelta


# An applied event's `due_at` is when it was applied, give or take a minute. What waits, or was given up and
# may be tried again, keeps its content.
_PAYLOADS = text("""
    WITH old AS MATERIALIZED (
        SELECT id FROM inbox
        WHERE payload IS NOT NULL AND status NOT IN ('pending', 'dead')
          AND due_at < statement_timestamp() - CAST(:keep AS interval)
        ORDER BY due_at LIMIT :batch FOR UPDATE SKIP LOCKED)
    UPDATE inbox SET payload = NULL FROM old WHERE inbox.id = old.id
""")
# Ids follow the order of arrival, so the first rows are the oldest, and a look at a batch of them says if
# any is old enough: no index is kept for it. What waits, or was given up, is passed over.
_EVENTS = text("""
    WITH first AS MATERIALIZED (
        SELECT id, received_at FROM inbox WHERE status NOT IN ('pending', 'dead') ORDER BY id LIMIT :batch),
    old AS MATERIALIZED (
        SELECT inbox.id FROM inbox JOIN first ON first.id = inbox.id
        WHERE first.received_at < statement_timestamp() - CAST(:keep AS interval)
          AND inbox.status NOT IN ('pending', 'dead') FOR UPDATE OF inbox SKIP LOCKED)
    DELETE FROM inbox USING old WHERE inbox.id = old.id
""")
# The words of a mail server may repeat an address; what we say ourselves stands before the colon.
_MAILS = text("""
    WITH old AS MATERIALIZED (
        SELECT id FROM outbox
        WHERE rendered IS NOT NULL AND status NOT IN ('pending', 'sending')
          AND due_at < statement_timestamp() - CAST(:keep AS interval)
        ORDER BY due_at LIMIT :batch FOR UPDATE SKIP LOCKED)
    UPDATE outbox SET rendered = NULL, last_error = split_part(last_error, ': ', 1)
    FROM old WHERE outbox.id = old.id
""")
_MAIL_RESULTS = text("""
    WITH old AS MATERIALIZED (
        SELECT outbox_id, kind FROM mail_results
        WHERE details IS NOT NULL AND recorded_at < statement_timestamp() - CAST(:keep AS interval)
        ORDER BY recorded_at LIMIT :batch FOR UPDATE SKIP LOCKED)
    UPDATE mail_results SET details = NULL FROM old
    WHERE mail_results.outbox_id = old.outbox_id AND mail_results.kind = old.kind
""")
# Of a case that has been over for as long.
_LINKS = text("""
    WITH old AS MATERIALIZED (
        SELECT links.digest FROM links
        JOIN cases ON cases.customer_id = links.customer_id AND cases.invoice = links."case"
        WHERE links.made_at < statement_timestamp() - CAST(:keep AS interval)
          AND cases.closed_at < statement_timestamp() - CAST(:keep AS interval)
        ORDER BY links.made_at LIMIT :batch FOR UPDATE OF links SKIP LOCKED)
    DELETE FROM links USING old WHERE links.digest = old.digest
""")
_OUTGOING = text("""
    WITH old AS MATERIALIZED (
        SELECT id FROM outgoing
        WHERE created_at < statement_timestamp() - CAST(:keep AS interval)
          AND NOT EXISTS (SELECT FROM deliveries WHERE event_id = outgoing.id AND status = 'pending')
        ORDER BY created_at LIMIT :batch FOR UPDATE SKIP LOCKED),
    sent AS (DELETE FROM deliveries USING old WHERE deliveries.event_id = old.id)
    DELETE FROM outgoing USING old WHERE outgoing.id = old.id
""")
_ANSWERS = text("""
    WITH old AS MATERIALIZED (
        SELECT key_id, name FROM api_requests
        WHERE made_at < statement_timestamp() - CAST(:keep AS interval)
        ORDER BY made_at LIMIT :batch FOR UPDATE SKIP LOCKED)
    DELETE FROM api_requests USING old
    WHERE api_requests.key_id = old.key_id AND api_requests.name = old.name
""")


def _each(keep: Keep) -> Mapping[str, tuple[TextClause, timedelta]]:
    return {
        "events": (_EVENTS, keep.events),
        "payloads": (_PAYLOADS, keep.payloads),
        "mails": (_MAILS, keep.mails),
        "mail_results": (_MAIL_RESULTS, keep.mails),
        "links": (_LINKS, keep.links),
        "outgoing": (_OUTGOING, keep.outgoing),
        "answers": (_ANSWERS, api_requests.KEPT_FOR),
    }


async def prune(connection: AsyncConnection, keep: Keep, *, batch: int = BATCH) -> Mapping[str, int]:
    """Take away a batch of everything that is older than it may be; how many rows of each.

    A full batch says that there may be more.
    """
    taken = {}
    for name, (statement, age) in _each(keep).items():
        done = await connection.execute(statement, {"keep": age, "batch": batch})
        taken[name] = done.rowcount
    return taken


# The oldest that is still there, by the same indexes; links and events are few, and hold ids.
_OLDEST = text("""
    SELECT statement_timestamp() - CAST(:payloads AS interval) - (
               SELECT min(due_at) FROM inbox
               WHERE payload IS NOT NULL AND status NOT IN ('pending', 'dead')) AS payloads,
           statement_timestamp() - CAST(:mails AS interval) - (
               SELECT min(due_at) FROM outbox
               WHERE rendered IS NOT NULL AND status NOT IN ('pending', 'sending')) AS mails,
           statement_timestamp() - CAST(:events AS interval) - (
               SELECT received_at FROM inbox WHERE status NOT IN ('pending', 'dead') ORDER BY id LIMIT 1)
               AS events
""")


async def overdue(connection: AsyncConnection, keep: Keep) -> timedelta | None:
    """For how long the oldest event, or the content of one or of a mail, should have been gone, or None."""
    values = {"events": keep.events, "payloads": keep.payloads, "mails": keep.mails}
    row = (await connection.execute(_OLDEST, values)).one()
    late = max((each for each in row if each is not None), default=timedelta(0))
    return late if late > timedelta(0) else None
