"""Send a fresh link to the address on file, for somebody whose own link opens nothing any more.

It runs after the answer, which is the same whoever asks and whatever comes of it here.
"""

from __future__ import annotations

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db import accounts, journal, outbox
from db.journal import Entry
from dunning.case import settle
from dunning.rules.requested import case_to_show, fresh_link
from dunning.steps import FRESH_LINK
from portal.door import Door
from portal.links import short
from portal.mailing import on_request
from worker.queues import MAIL
from worker.services import Services

log = structlog.get_logger()

REASON = "a new link was asked for on the page"


async def send_fresh_link(services: Services, door: Door, token: str) -> None:
    """Write the mail that goes out, if the token was ever ours and there is something to do. Never raises."""
    try:
        rows = await _write(services, door, token)
        await services.nudge(MAIL, rows)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("link.not_sent", error=type(error).__name__)


async def _write(services: Services, door: Door, token: str) -> list[int]:
    behind = (await door.open(token)).behind
    if behind is None:
        return []
    async with services.engine.begin() as connection:
        owner = behind.link.customer_id
        # Locked: the links of a day are counted.
        loaded = (await accounts.load(connection, [owner], lock=True))[owner]
        at = loaded.clock or services.clock()
        account = settle(loaded.account, services.policy)
        case = case_to_show(account, account.cases[behind.link.case])
        key = fresh_link(account, loaded.history, case, at) if case and account.customer.email else None
        log.info("link.asked", link=short(behind.link.digest), customer=owner, sent=key is not None)
        if case is None or key is None:
            return []
        effect = on_request(owner, case.invoice, key, FRESH_LINK, REASON, at)
        await journal.write(connection, [Entry(owner, at, "link.asked", REASON, case.invoice, {"step": key})])
        return await outbox.add(connection, [effect])
