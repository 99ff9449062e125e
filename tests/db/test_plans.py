"""What is asked all day finds what it wants by an index, however many rows there are."""

from __future__ import annotations

import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import habits, status
from tests.db.conftest import Database


@pytest.mark.parametrize(
    ("query", "index", "entered_at"),
    [
        (habits.EVENTS, "inbox_ignored", "received_at > "),
        (status.CASES, "cases_due", "due_at <= "),
    ],
)
def test_an_index_is_entered_at_a_time(
    database: Database, query: TextClause, index: str, entered_at: str
) -> None:
    """Not read from end to end: the time it is entered at stands still while the statement runs."""

    async def plan(connection: AsyncConnection) -> str:
        for way in ("seqscan", "bitmapscan"):
            await connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        asked = {"livemode": True} if ":livemode" in query.text else {}
        return "\n".join((await connection.execute(text(f"EXPLAIN {query.text}"), asked)).scalars())

    found = database.commit(plan)
    assert f" {index} " in found
    assert f"Index Cond: ({entered_at}" in found
