"""The billing accounts that customers are of."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# From one to the next by the index: there are few, and many customers of each.
_KNOWN = text("""
    WITH RECURSIVE walk AS (
        SELECT min(source) AS source FROM customers
        UNION ALL
        SELECT (SELECT min(source) FROM customers WHERE source > walk.source)
        FROM walk WHERE walk.source IS NOT NULL
    )
    SELECT source FROM walk WHERE source IS NOT NULL ORDER BY source
""")


async def known(connection: AsyncConnection) -> list[str]:
    """Each source with a customer here, in order."""
    return list((await connection.execute(_KNOWN)).scalars())
