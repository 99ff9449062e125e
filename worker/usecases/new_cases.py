"""What a case needs that has just been opened, whoever told of it: an event, or the provider when asked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from db import imports, links
from db.accounts import Loaded
from db.links import LinkRow
from dunning.account import Account
from dunning.takeover import begun_before_us
from portal.links import FOR_BANNERS, unheld
from worker.services import Services


async def begun_earlier(
    connection: AsyncConnection, services: Services, before: Account, after: Account, at: datetime
) -> Account:
    """One that had begun before us, heard of before the import came to it, is taken over like the rest.

    Test clocks know no such day.
    """
    if after.customer.test_clock or after.cases.keys() == before.cases.keys():
        return after
    began_at = await imports.first_began_at(connection, after.source)
    return begun_before_us(before, after, services.policy, at, began_at) if began_at else after


async def lead_banners(
    connection: AsyncConnection, services: Services, before: Loaded, after: Account, at: datetime
) -> None:
    """Give each new case the link that banners lead by, where there are pages for it."""
    if services.pages:
        for case in sorted(after.cases.keys() - before.account.cases.keys()):
            await links.add(connection, LinkRow(unheld(), before.id, case, at, FOR_BANNERS))
