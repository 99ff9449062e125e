"""What is asked all day finds what it wants by an index, however many rows there are."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import habits, status, sweep
from tests.db.conftest import Database

VALUES = {
    "livemode": True,
    "now": datetime.now(UTC),
    "most": sweep.MOST_ATTEMPTS,
    "batch": sweep.BATCH,
    "kinds": ["mail", "team"],
    "delay": 10.0,
    "again": 30.0,
}


@pytest.mark.parametrize(
    ("query", "index", "entered_at"),
    [
        (habits.EVENTS, "inbox_ignored", "received_at > "),
        (status.CASES, "cases_due", "due_at <= "),
        (sweep.RETIRE, "inbox_poison", "due_at <= "),
        (sweep.EVENTS, "inbox_due", "due_at <= "),
        (sweep.OUTBOX, "outbox_due", "due_at <= "),
        (sweep.DUE["cases"], "cases_due", "due_at <= "),
        (sweep.DUE["subscriptions"], "subscriptions_due", "due_at <= "),
    ],
)
def test_an_index_is_entered_at_a_time(
    database: Database, query: TextClause, index: str, entered_at: str
) -> None:
    """Not read from end to end: the time it is entered at stands still while the statement runs."""

    async def plan(connection: AsyncConnection) -> str:
        for way in ("seqscan", "bitmapscan"):
            await connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        asked = {name: value for name, value in VALUES.items() if f":{name}" in query.text}
        return "\n".join((await connection.execute(text(f"EXPLAIN {query.text}"), asked)).scalars())

    found = database.commit(plan)
    assert f" {index} " in found
    assert f"Index Cond: ({entered_at}" in found
