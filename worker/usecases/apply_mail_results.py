"""From what a mail service says to what is known of our mails, and to what follows from it.

Each row in a transaction of its own: find the mails, lock their accounts, note what is new, and plan again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, inbox, journal, mail_results
from db.accounts import Loaded
from db.inbox import InboxRow
from db.journal import Entry
from db.mail_results import SentMail
from dunning.case import settle
from dunning.forgetting import is_forgotten
from dunning.results import MailResult, Result
from dunning.steps import Kind
from providers.lookup import MalformedEventError, ProviderUnavailableError
from providers.mail.sns import NotGenuineError
from worker.services import Services
from worker.usecases import rows
from worker.usecases.enact import Enacted, enact
from worker.wake import wake

log = structlog.get_logger()

NOT_OURS = "no mail of ours"
# That a mail was delivered is the rule; it is noted with the mail alone.
ENTRIES: Mapping[Result, str] = {
    Result.DELAYED: "delayed",
    Result.SOFT_BOUNCE: "undelivered",
    Result.UNDELIVERED: "undelivered",
    Result.COMPLAINT: "bounced",
    Result.HARD_BOUNCE: "bounced",
}


async def apply_mail_results(services: Services, taken: Sequence[InboxRow]) -> None:
    """Apply rows of mail services. Rows that cannot be applied now stay due."""
    for row in taken:
        try:
            results = await services.mail_services[row.source](json.loads(row.payload))
            await wake(services, await _apply(services, row, results))
        except ProviderUnavailableError as error:
            await rows.wait(services, row, error)
        except (MalformedEventError, NotGenuineError, json.JSONDecodeError) as error:
            await rows.retire(services, row, error)
        except Exception as error:
            await rows.failed(services, row, error)


async def _apply(services: Services, row: InboxRow, results: Sequence[MailResult]) -> Mapping[int, Enacted]:
    async with services.engine.begin() as connection:
        if not await inbox.lock_pending(connection, [row.id]):
            return {}
        pairs = [(result, await mail_results.find(connection, result)) for result in results]
        told = [(result, sent) for result, sent in pairs if sent]
        if results and not told:
            await inbox.mark_ignored(connection, row.id, NOT_OURS)
            log.info("mail.not_ours", event_id=row.event_id, type=row.type)
            return {}
        concerned = sorted({sent.customer_id for _, sent in told})
        owners = await accounts.load(connection, concerned, lock=True, facts_only=True)
        now = services.clock()
        news: dict[int, list[Entry]] = {}
        forgotten: list[int] = []
        for result, sent in told:
            owner = owners[sent.customer_id]
            at = owner.clock or min(result.at, now)
            if is_forgotten(owner.account.instructions):
                # Its words may repeat the address.
                result = replace(result, details="")
                forgotten = [row.id]
            if await mail_results.record(connection, sent, result, at, row.source):
                news.setdefault(sent.customer_id, []).extend(_entries(row, result, sent, owner, now))
        enacted = await _plan_again(connection, services, news, now)
        await inbox.mark_done(connection, [row.id])
        await inbox.blank(connection, forgotten)
    log.info("event.applied", event_id=row.event_id, type=row.type)
    return enacted


def _entries(
    row: InboxRow, result: MailResult, sent: SentMail, owner: Loaded, now: datetime
) -> Iterator[Entry]:
    if result.kind not in ENTRIES:
        return
    reader = "team" if sent.kind is Kind.TEAM else "mail"
    kind = f"{reader}.{ENTRIES[result.kind]}"
    # A notice of a renewal belongs to no case.
    case = sent.case if sent.case in owner.account.invoices else None
    data = {"step": sent.step, "by": row.source}
    log.warning(kind, customer=sent.customer_id, step=sent.step, reason=result.kind.value, by=row.source)
    yield Entry(sent.customer_id, owner.clock or now, kind, result.kind.value, case, data)


async def _plan_again(
    connection: AsyncConnection, services: Services, news: Mapping[int, list[Entry]], now: datetime
) -> dict[int, Enacted]:
    """What follows for these locked accounts, whose history knows of the results."""
    enacted: dict[int, Enacted] = {}
    for customer_id, loaded in (await accounts.load(connection, sorted(news))).items():
        told = await journal.write(connection, news[customer_id])
        result = await enact(
            connection,
            loaded,
            settle(loaded.account, services.policy),
            policy=services.policy,
            team_channels=services.team_channels,
            now=loaded.clock or now,
        )
        enacted[customer_id] = replace(result, endpoints=result.endpoints | told)
    return enacted
