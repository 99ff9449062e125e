"""Whose customer is meant where an application names no source."""

import asyncio

import asyncpg  # type: ignore[import-untyped]  # ships no annotations

from db import access
from settings.urls import for_asyncpg

CUSTOMER = """
    WITH made AS (INSERT INTO customers (source, ref) VALUES ($1, $2) RETURNING id)
    INSERT INTO access (customer_id, level, reason, changed_at)
    SELECT id, $3, 'good_standing', now() FROM made
"""


def test_without_a_source_the_only_one_there_is_is_meant_else_stripe(database_url: str) -> None:
    """Never another one's customer of the same id, once there are several."""

    async def levels() -> list[str | None]:
        connection = await asyncpg.connect(for_asyncpg(database_url))
        found = []
        for source, ref, level in (
            ("acme", "cus_1", "warned"),
            ("commet", "cus_2", "limited"),
            ("stripe", "cus_1", "full"),
        ):
            await connection.execute(CUSTOMER, source, ref, level)
            row = await access.read(connection, None, "cus_1")
            linked = await access.read_with_link(connection, None, "cus_1")
            assert (linked and linked[0]) == row
            found.append(row.level if row else None)
        await connection.close()
        return found

    assert asyncio.run(levels()) == ["warned", None, "full"]
