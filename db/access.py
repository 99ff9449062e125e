"""One customer's access, by one statement on asyncpg alone: for the access API, which has to be quick.

The database role needs SELECT on `customers`, `access` and `test_clocks`; on `cases` and `links` too where
banners lead to our own pages; and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# Whose customers are meant where nobody says it: those of the only source there is, else Stripe's.
USUAL_SOURCE = """
(SELECT CASE WHEN min(source) = max(source) THEN min(source) ELSE 'stripe' END FROM customers)
"""
# S608: nothing but constants is put into these.
_READ = f"""
SELECT customers.ref AS customer, customers.locales, test_clocks.reached AS clock,
       access.level, access.reason, access.until, access.subscription, access.changed_at, asked.number
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked (source, ref, number)
JOIN customers ON customers.source = coalesce(asked.source, {USUAL_SOURCE}) AND customers.ref = asked.ref
JOIN access ON access.customer_id = customers.id
LEFT JOIN test_clocks ON test_clocks.source = customers.source AND test_clocks.ref = customers.test_clock
"""  # noqa: S608
# Of the links that still open something, the newest: to a case that is open, or that ended with its
# subscription, and of these rather to that of the subscription which decides about access.
_READ_WITH_LINK = f"""
SELECT customers.ref AS customer, customers.locales, test_clocks.reached AS clock,
       access.level, access.reason, access.until, access.subscription, access.changed_at,
       link.digest, link.made_at, link.closed_at
FROM customers
JOIN access ON access.customer_id = customers.id
LEFT JOIN test_clocks ON test_clocks.source = customers.source AND test_clocks.ref = customers.test_clock
LEFT JOIN LATERAL (
    SELECT links.digest, links.made_at, cases.closed_at
    FROM links
    JOIN cases ON cases.customer_id = links.customer_id AND cases.invoice = links."case"
    WHERE links.customer_id = customers.id AND links.revoked_at IS NULL
      AND (cases.closed_at IS NULL OR cases.outcome = 'ended')
    ORDER BY cases.closed_at IS NULL DESC, cases.subscription = access.subscription DESC NULLS LAST,
             links.made_at DESC, links.pay_url IS NULL, links.digest
    LIMIT 1
) AS link ON access.level <> 'full'
WHERE customers.source = coalesce($1, {USUAL_SOURCE}) AND customers.ref = $2
"""  # noqa: S608
_PROBE = "SELECT customer_id FROM access LIMIT 0"  # fails while migrations are missing, and reads no row

Asked = tuple[str | None, str]
"""A source, or None for the usual one, and a customer of it."""


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


@dataclass(frozen=True, slots=True)
class CaseLink:
    """A link to the page of a case, by its digest. Both times are the account's."""

    digest: bytes
    made_at: datetime
    closed_at: datetime | None


async def read(connection: Any, source: str | None, customer: str) -> AccessRow | None:
    """The access of a customer of `source` ("stripe") by the provider's id; None for an unknown one.

    Without a source the usual one is meant: the only one there is, else Stripe.
    `connection` is asyncpg's, whose errors pass through.
    """
    [found] = await read_many(connection, [(source, customer)])
    return found


async def read_many(connection: Any, asked: Sequence[Asked]) -> list[AccessRow | None]:
    """The same for several, all at one moment and in their order."""
    answers: list[AccessRow | None] = [None] * len(asked)
    sources, refs = zip(*asked, strict=True)
    for row in await connection.fetch(_READ, sources, refs):
        found = dict(row)
        number = found.pop("number")
        answers[number - 1] = _access(found)
    return answers


async def read_with_link(
    connection: Any, source: str | None, customer: str
) -> tuple[AccessRow, CaseLink | None] | None:
    """The same, with the link by which this customer reaches what is to be paid, if there is one."""
    row = await connection.fetchrow(_READ_WITH_LINK, source, customer)
    if row is None:
        return None
    found = dict(row)
    link = CaseLink(*(found.pop(name) for name in ("digest", "made_at", "closed_at")))
    return _access(found), link if link.digest else None


def _access(row: dict[str, Any]) -> AccessRow:
    return AccessRow(**{**row, "locales": tuple(row["locales"])})


async def probe(connection: Any) -> None:
    """Return when access could be read; asyncpg's errors pass through."""
    await connection.execute(_PROBE)
