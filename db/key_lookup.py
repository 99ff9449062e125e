"""The keys that are good now, by one statement on asyncpg alone: for the API, as `db.access` is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_READ = """
SELECT id, digest, label, scopes, expires_at FROM api_keys
WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
"""


@dataclass(frozen=True, slots=True)
class GoodKey:
    """A key that is neither revoked nor expired yet."""

    id: int
    label: str
    scopes: tuple[str, ...]
    expires_at: datetime | None


async def read(connection: Any) -> Mapping[bytes, GoodKey]:
    """All of them by their digests: a company has a few. `connection` is asyncpg's; its errors pass."""
    return {
        row["digest"]: GoodKey(row["id"], row["label"], tuple(row["scopes"]), row["expires_at"])
        for row in await connection.fetch(_READ)
    }
