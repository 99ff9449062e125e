"""What the journal has been told since the last look, each entry once, in whatever order it was committed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# An entry gets its number when it is written and is seen when its transaction commits. None of ours takes
# longer than a worker's time limit for one message.
LATEST = timedelta(seconds=90)
# Entries in one answer; more are left to the next look.
MOST = 5_000

NEWEST = text("SELECT coalesce(max(id), 0) FROM journal")
SINCE = text("""
    SELECT journal.id, source, kind, reason, data->>'step' AS step, data->>'name' AS name
    FROM journal JOIN customers ON customers.id = customer_id
    WHERE journal.id > :after
      AND NOT EXISTS (SELECT FROM unnest(CAST(:seen AS bigint[])) AS seen (id) WHERE seen.id = journal.id)
    ORDER BY journal.id LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Line:
    """One entry without its customer. `step` and `name` are those of the step it tells of, if it does."""

    source: str
    kind: str
    reason: str | None
    step: str | None
    name: str | None


class Tail:
    """Remembers how far it has read, and which entries behind others were not there yet."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that only go forward. The first look finds nothing: it is the beginning."""
        self._clock = clock
        self._after: int | None = None
        self._seen: dict[int, float] = {}

    async def read(self, connection: AsyncConnection) -> list[Line]:
        """The entries that have come since, `MOST` at most."""
        if self._after is None:
            self._after = (await connection.execute(NEWEST)).scalar_one()
            return []
        limits = {"after": self._after, "seen": list(self._seen), "most": MOST}
        rows = (await connection.execute(SINCE, limits)).all()
        now = self._clock()
        self._seen |= {row.id: now for row in rows}
        self._forget(now - LATEST.total_seconds())
        return [Line(row.source, row.kind, row.reason, row.step, row.name) for row in rows]

    def _forget(self, before: float) -> None:
        """Whatever is numbered below an entry of long ago is there by now."""
        old = [entry for entry, at in self._seen.items() if at < before]
        self._after = max(old, default=self._after)
        self._seen = {entry: at for entry, at in self._seen.items() if entry > (self._after or 0)}
