"""How effects ended, for many of them in one statement: the last word, which the claim's holder has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Text, bindparam, case, cast, column, func, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import outbox
from db.outbox import Claim

# Our links to customers' pages (`portal.links`). A copy that nobody will send again must open nothing.
_LINK = "/p/[A-Za-z0-9_-]{22}[.][A-Za-z0-9_-]{43}"
_MESSAGE = cast(outbox.c.rendered, Text)
# One without a link is left as it is: to store it anew costs as much as to store it did.
_WITHOUT_LINKS = case(
    (_MESSAGE.contains("/p/"), cast(func.regexp_replace(_MESSAGE, _LINK, "/p/...", "g"), JSONB)),
    else_=outbox.c.rendered,
)


@dataclass(frozen=True, slots=True)
class Ending:
    """An effect's final word: sent, suppressed, failed or unknown."""

    claim: Claim
    status: str
    accepted_at: datetime | None = None
    error: str | None = None


_ENDINGS = (
    func.unnest(
        bindparam("ids", type_=ARRAY(BigInteger)),
        bindparam("fences", type_=ARRAY(BigInteger)),
        bindparam("statuses", type_=ARRAY(Text)),
        bindparam("accepted", type_=ARRAY(TIMESTAMP(timezone=True))),
        bindparam("errors", type_=ARRAY(Text)),
    )
    .table_valued("id", "fence", "status", column("accepted_at", TIMESTAMP(timezone=True)), "error", name="e")
    .render_derived()
)
_FINISH = (
    update(outbox)
    .where(
        outbox.c.id == _ENDINGS.c.id,
        outbox.c.status == "sending",
        outbox.c.attempts == _ENDINGS.c.fence,
    )
    .values(
        status=_ENDINGS.c.status,
        accepted_at=_ENDINGS.c.accepted_at,
        last_error=_ENDINGS.c.error,
        lease_until=None,
        rendered=_WITHOUT_LINKS,
    )
    .returning(outbox.c.id)
)


async def finish_all(connection: AsyncConnection, endings: Sequence[Ending]) -> frozenset[int]:
    """Say how effects ended; the ids of those that were still ours to say.

    The stored messages lose the secrets of their links: they are not sent again.
    """
    done = await connection.execute(
        _FINISH,
        {
            "ids": [each.claim.id for each in endings],
            "fences": [each.claim.fence for each in endings],
            "statuses": [each.status for each in endings],
            "accepted": [each.accepted_at for each in endings],
            "errors": [each.error for each in endings],
        },
    )
    return frozenset(row.id for row in done)


async def finish(
    connection: AsyncConnection,
    claim: Claim,
    status: str,
    *,
    accepted_at: datetime | None = None,
    error: str | None = None,
) -> bool:
    """The same for one. False: no longer ours to say."""
    return bool(await finish_all(connection, [Ending(claim, status, accepted_at, error)]))
