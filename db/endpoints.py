"""Where the merchant's application is told: added, shown, rotated, switched off and on, removed.

All times are the database's clock.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import alarms
from db.models import deliveries, endpoints

# How long the old secret signs beside the new one, unless somebody says otherwise.
BOTH_SIGN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`secrets` sign now, the newest first. `types` are all when empty. `disabled_at`: nothing is sent."""

    id: int
    url: str
    types: tuple[str, ...]
    about: str | None
    from_settings: bool
    secrets: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str | None
    failing_since: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """An endpoint as the settings have it; a second secret is the one before."""

    url: str
    secret: str
    old_secret: str | None = None


async def every(connection: AsyncConnection) -> list[Endpoint]:
    """All of them, the oldest first."""
    rows = await connection.execute(select(endpoints, _BOTH).order_by(endpoints.c.id))
    return [_endpoint(row) for row in rows.mappings()]


async def find(connection: AsyncConnection, endpoint_id: int) -> Endpoint | None:
    rows = await connection.execute(select(endpoints, _BOTH).where(endpoints.c.id == endpoint_id))
    row = rows.mappings().one_or_none()
    return _endpoint(row) if row else None


async def add(
    connection: AsyncConnection,
    url: str,
    secret: str,
    *,
    types: Collection[str] = (),
    about: str | None = None,
) -> int | None:
    """A new endpoint, and its id; None: there is one with this URL."""
    values = {"url": url, "secret": secret, "types": sorted(types), "about": about}
    added = await connection.execute(
        insert(endpoints).values(values).on_conflict_do_nothing().returning(endpoints.c.id)
    )
    number: int | None = added.scalar_one_or_none()
    return number


async def rotate(
    connection: AsyncConnection, endpoint_id: int, secret: str, *, overlap: timedelta = BOTH_SIGN
) -> None:
    """Sign with a new secret from now on, and for the time of `overlap` with the present one as well."""
    values = {
        "secret": secret,
        "old_secret": endpoints.c.secret,
        "old_until": func.clock_timestamp() + overlap,
    }
    await connection.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(values))


async def enable(connection: AsyncConnection, endpoint_id: int) -> None:
    """Send there again whatever happens from now on; what was missed waits for a replay."""
    values = {"disabled_at": None, "disabled_why": None, "failing_since": None}
    await connection.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(values))
    await alarms.withdraw(connection, "endpoint", endpoint_id)


async def disable(connection: AsyncConnection, endpoint_id: int, why: str) -> bool:
    """Send nothing there any more; what waits has failed. False: it was disabled before."""
    done = await connection.execute(
        update(endpoints)
        .where(endpoints.c.id == endpoint_id, endpoints.c.disabled_at.is_(None))
        .values(disabled_at=func.clock_timestamp(), disabled_why=why)
    )
    await connection.execute(
        update(deliveries)
        .where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.status == "pending")
        .values(status="failed", error=why)
    )
    return done.rowcount == 1


async def remove(connection: AsyncConnection, endpoint_id: int) -> None:
    """Forget it and how far it was told; the events stay while there are other endpoints, and after."""
    await connection.execute(delete(deliveries).where(deliveries.c.endpoint_id == endpoint_id))
    await connection.execute(delete(endpoints).where(endpoints.c.id == endpoint_id))
    await alarms.withdraw(connection, "endpoint", endpoint_id)


async def keep_to(connection: AsyncConnection, wanted: Sequence[Wanted]) -> None:
    """Have exactly these endpoints from the settings; those that are there no more are disabled.

    One that was switched off by hand or after failing stays so. One that a command added belongs to the
    settings as soon as they name its URL.
    """
    for one in wanted:
        signing = {"secret": one.secret, "old_secret": one.old_secret, "old_until": None}
        added = insert(endpoints).values(url=one.url, from_settings=True, **signing)
        again = {"from_settings": True, **signing}
        await connection.execute(added.on_conflict_do_update(index_elements=["url"], set_=again))
        returned = endpoints.c.disabled_why == GONE
        await connection.execute(
            update(endpoints)
            .where(endpoints.c.url == one.url, returned)
            .values(disabled_at=None, disabled_why=None)
        )
    gone = select(endpoints.c.id).where(
        endpoints.c.from_settings, endpoints.c.url.not_in([one.url for one in wanted])
    )
    for row in (await connection.execute(gone)).all():
        await disable(connection, row.id, GONE)


GONE = "the settings name it no more"


# How sending goes.


async def note_success(connection: AsyncConnection, endpoint_id: int) -> None:
    """It has accepted something."""
    failing = endpoints.c.failing_since.is_not(None)
    await connection.execute(
        update(endpoints).where(endpoints.c.id == endpoint_id, failing).values(failing_since=None)
    )


async def note_failure(connection: AsyncConnection, endpoint_id: int) -> timedelta:
    """It has not; returns for how long it has accepted nothing that was sent."""
    clock = func.clock_timestamp()
    since = func.coalesce(endpoints.c.failing_since, clock)
    noted = await connection.execute(
        update(endpoints)
        .where(endpoints.c.id == endpoint_id)
        .values(failing_since=since)
        .returning(clock - endpoints.c.failing_since)
    )
    failing_for: timedelta | None = noted.scalar_one_or_none()
    return failing_for or timedelta(0)


_BOTH: Any = (endpoints.c.old_until.is_(None) | (endpoints.c.old_until > func.clock_timestamp())).label(
    "both"
)


def _endpoint(row: RowMapping) -> Endpoint:
    old = row["old_secret"] if row["both"] else None
    return Endpoint(
        id=row["id"],
        url=row["url"],
        types=tuple(row["types"]),
        about=row["about"],
        from_settings=row["from_settings"],
        secrets=(row["secret"], old) if old else (row["secret"],),
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
        disabled_why=row["disabled_why"],
        failing_since=row["failing_since"],
    )
