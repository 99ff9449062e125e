"""One customer's access, by one statement on asyncpg alone: for the access API, which has to be quick.

The database role needs SELECT on `customers`, `access` and `test_clocks`, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

_READ = """
SELECT customers.ref AS customer, customers.locales, test_clocks.reached AS clock,
       access.level, access.reason, access.until, access.subscription, access.changed_at
FROM customers
JOIN access ON access.customer_id = customers.id
LEFT JOIN test_clocks ON test_clocks.source = customers.source AND test_clocks.ref = customers.test_clock
WHERE customers.source = $1 AND customers.ref = $2
"""
_PROBE = "SELECT customer_id FROM access LIMIT 0"  # fails while migrations are missing, and reads no row


@dataclass(frozen=True, slots=True)
class AccessRow:
    """What was last decided. `until` and `changed_at` are the account's times, `clock` its test clock's."""

    customer: str
    locales: tuple[str, ...]
    clock: datetime | None
    level: str
    reason: str
    until: datetime | None
    subscription: str | None
    changed_at: datetime


async def read(connection: Any, source: str, customer: str) -> AccessRow | None:
    """The access of a customer of `source` ("stripe") by the provider's id; None for an unknown one.

    `connection` is asyncpg's, whose errors pass through.
    """
    row = await connection.fetchrow(_READ, source, customer)
    return AccessRow(**{**row, "locales": tuple(row["locales"])}) if row else None


async def probe(connection: Any) -> None:
    """Return when access could be read; asyncpg's errors pass through."""
    await connection.execute(_PROBE)
