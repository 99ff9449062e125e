"""From stored events to facts, decisions and effects.

Whatever the events leave unsaid is asked *before* any lock is taken; then one transaction locks the
rows and the accounts, folds, plans and writes. A batch that fails is tried again row by row, so one bad
row costs nobody else anything.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, imports, inbox, links, reconciliations, twins
from db.inbox import InboxRow
from db.journal import Entry
from db.links import LinkRow
from dunning.case import settle
from dunning.events import BillingEvent, ClockMoved, CustomerFact
from dunning.fold import fold
from dunning.forgetting import is_forgotten
from dunning.takeover import begun_before_us
from portal.links import FOR_BANNERS, unheld
from providers import systems
from providers.lookup import Lookup, MalformedEventError, Normalised, ProviderUnavailableError, Subject
from tracing import spans
from worker.lookups import WITHIN, Questions
from worker.owners import OwnerUnknownError, owned
from worker.rehearsal import on_test_clock
from worker.services import Services
from worker.stopping import stopped
from worker.usecases.apply_mail_results import apply_mail_results
from worker.usecases.close_source import close_source
from worker.usecases.deciding import Decision, decide
from worker.usecases.enact import Enacted, enact_all
from worker.usecases.holding import Switch
from worker.usecases.rows import failed, retire, wait
from worker.wake import wake

log = structlog.get_logger()

# A fact waits this long for a provider that cannot be asked; then it counts with what it says by itself.
PATIENCE = timedelta(minutes=10)
# What it says, or of whom, may have to be told by somebody else; then a person can have it tried again.
PATIENCE_FOR_ALL = timedelta(days=1)
# Seconds after which whoever came for a row that was ours already has let go of it.
A_MOMENT = 0.1


@dataclass(frozen=True, slots=True)
class Stated:
    """One inbox row with everything it states, lookups included.

    `twin` is the id of the event that tells the same, where there is one. `closed` and `opened`: it says that
    nothing more will be told of the whole source, or that it can be asked again.
    """

    row: InboxRow
    facts: tuple[BillingEvent, ...]
    twin: str | None = None
    closed: bool = False
    opened: bool = False

    @property
    def customers(self) -> list[tuple[str, str]]:
        return [(self.row.source, fact.customer) for fact in self.facts if not isinstance(fact, ClockMoved)]

    @property
    def invoices(self) -> set[str]:
        return {ref for fact in self.facts if (ref := getattr(fact, "invoice", None))}


async def apply_events(services: Services, ids: Sequence[int], *, within: float = WITHIN) -> None:
    """Apply the pending inbox rows among `ids`. Rows that cannot be applied now stay due.

    Nothing is begun after `within` seconds, and no question takes longer than that.
    """
    clock = asyncio.get_running_loop().time
    stop_at = clock() + within
    left = set(ids)
    while left and clock() < stop_at and (rows := await _take_up(services, left)):
        left -= {row.id for row in rows}
        of_mails = [row for row in rows if row.source in services.mail_services]
        billing = [row for row in rows if row not in of_mails]
        closed = await _apply_rows(services, billing, Questions(services, within))
        for row in closed:
            await _close(services, row, stop_at - clock())
        await apply_mail_results(services, of_mails)


async def _take_up(services: Services, ids: Collection[int]) -> list[InboxRow]:
    async with services.engine.begin() as connection:
        return await inbox.take_up(connection, ids)


async def _close(services: Services, row: InboxRow, within: float) -> None:
    try:
        await close_source(services, row, within=within)
    except Exception as error:
        await failed(services, row, error)


async def _apply_rows(services: Services, rows: Sequence[InboxRow], questions: Questions) -> list[InboxRow]:
    """Apply them, but for those by which their source has ended: these are returned."""
    read = await asyncio.gather(*(_state(services, row, questions) for row in rows))
    stated = [found for found in read if found and not found.closed]
    closed = [found.row for found in read if found and found.closed]
    if not stated:
        return closed
    try:
        await _apply(services, stated)
    except Exception as error:
        if len(stated) == 1:
            await failed(services, stated[0].row, error)
            return closed
        log.warning("batch.split", rows=len(stated), error=type(error).__name__)
        for one in stated:
            try:
                await _apply(services, [one])
            except Exception as own_error:
                await failed(services, one.row, own_error)
    return closed


async def _state(services: Services, row: InboxRow, questions: Questions) -> Stated | None:
    """Everything the row states, or None when it has to wait: it must not hold up the rows beside it."""
    try:
        with spans.span(
            "event.read", spans.event(row.source, row.event_id), event=row.event_id, type=row.type
        ):
            return await _read(services, row, questions)
    except Exception as error:
        await failed(services, row, error)
        return None


async def _read(services: Services, row: InboxRow, questions: Questions) -> Stated | None:
    """The same, or None when the provider has to be asked later or the row can never be read."""
    try:
        said = systems.normalise(row.source, json.loads(row.payload))
    except (MalformedEventError, ValueError, AttributeError, TypeError) as error:
        await retire(services, row, error)
        return None
    answers = await _answers(services, row, questions, said.lookups)
    if answers is None:
        return None
    facts = [*said.facts, *(fact for each in answers for fact in each.facts)]
    try:
        facts += await owned(services.engine, row.source, said, facts)
    except OwnerUnknownError as error:
        if services.clock() - row.received_at < PATIENCE_FOR_ALL:
            await wait(services, row, error)
        else:
            await retire(services, row, error)
        return None
    if row.source in services.stopped_at_past_due:
        facts = stopped(facts)
    if row.source in services.on_test_clocks:
        facts = on_test_clock(facts)
    twin = next((each.twin for each in answers if each.twin), None)
    return Stated(row, tuple(facts), twin, said.closed, said.opened)


async def _answers(
    services: Services, row: InboxRow, questions: Questions, lookups: Sequence[Lookup]
) -> list[Normalised] | None:
    """What the provider says to each lookup, or None as for `_read`."""
    answers = []
    for lookup in lookups:
        try:
            answers.append(await questions.ask(row.source, lookup))
        except ProviderUnavailableError as error:
            # What says nothing by itself would be lost.
            all_of_it = lookup.subject is Subject.EVENT
            patience = PATIENCE_FOR_ALL if all_of_it else PATIENCE
            if error.passing or services.clock() - row.received_at < patience:
                await wait(services, row, error)
                return None
            if all_of_it:
                await retire(services, row, error)
                return None
            log.error(
                "lookup.given_up", event_id=row.event_id, subject=lookup.subject.value, error=str(error)
            )
    return answers


async def _apply(services: Services, stated: Sequence[Stated]) -> None:
    left = await _apply_free(services, stated)
    if left:
        # To find that a row has just been taken up, PostgreSQL locks it, until the end of that look.
        await asyncio.sleep(A_MOMENT)
        await _apply_free(services, left)


async def _apply_free(services: Services, stated: Sequence[Stated]) -> Sequence[Stated]:
    """Apply what nobody holds, and return the rest."""
    now = services.clock()
    async with services.engine.begin() as connection:
        mine = await inbox.lock_pending(connection, [one.row.id for one in stated])
        ours = [one for one in stated if one.row.id in mine]
        if not ours:
            return stated
        for source in {one.row.source for one in ours if one.opened}:
            await reconciliations.reopen(connection, source)
        moved = _clock_moves(ours)
        await accounts.move_clocks(connection, moved)
        again = await twins.stand_in(
            connection, {one.row.id: (one.row.source, one.twin) for one in ours if one.twin}
        )
        enacted, forgotten = await _advance_accounts(connection, services, ours, now, again)
        ticking = await accounts.due_on_clocks(connection, moved.keys())
        await inbox.mark_done(connection, [one.row.id for one in ours])
        await inbox.blank(connection, forgotten)
    for one in ours:
        log.info("event.applied", event_id=one.row.event_id, type=one.row.type)
    await wake(services, enacted, ticking)
    return [one for one in stated if one.row.id not in mine]


def _clock_moves(stated: Sequence[Stated]) -> dict[tuple[str, str], datetime]:
    moves: dict[tuple[str, str], datetime] = {}
    for one in stated:
        for fact in one.facts:
            if isinstance(fact, ClockMoved):
                key = (one.row.source, fact.clock)
                moves[key] = max(moves.get(key, fact.to), fact.to)
    return moves


async def _advance_accounts(
    connection: AsyncConnection,
    services: Services,
    stated: Sequence[Stated],
    now: datetime,
    again: Collection[int],
) -> tuple[dict[int, Enacted], list[int]]:
    """What follows for each account, and the rows that concern somebody who is to be forgotten.

    Rows of `again` tell what is told by another: the journal has it once.
    """
    ids = await accounts.ensure(connection, [key for one in stated for key in one.customers])
    invoices = {ref for one in stated for ref in one.invoices}
    loaded = await accounts.load(connection, sorted(ids.values()), also_invoices=invoices, lock=True)
    facts, heard = _by_customer(stated)
    decisions: list[Decision] = []
    opened: list[LinkRow] = []
    began: dict[str, datetime | None] = {}
    switch = Switch(connection)
    for key, customer_id in sorted(ids.items(), key=lambda item: item[1]):
        before = loaded[customer_id]
        after = settle(fold(before.account, *facts[key]), services.policy)
        at = before.clock or now
        if after.customer.test_clock and not before.clock:
            # The customer turned out to live on a test clock just now: read what time it is there.
            before = replace(
                before, clock=await accounts.clock_of(connection, key[0], after.customer.test_clock)
            )
            at = before.clock or now
        # An event may overtake the import with a case that had begun before us. Test clocks know no such day.
        if not after.customer.test_clock and after.cases.keys() != before.account.cases.keys():
            if key[0] not in began:
                began[key[0]] = await imports.first_began_at(connection, key[0])
            if began_at := began[key[0]]:
                after = begun_before_us(before.account, after, services.policy, at, began_at)
        told = heard[key][-1]
        with spans.span("event.enact", spans.event(told.source, told.event_id), customer=customer_id):
            decision = await decide(
                connection,
                before,
                after,
                switch=switch,
                policy=services.policy,
                team_channels=services.team_channels,
                now=at,
            )
        fresh_rows = [row for row in heard[key] if row.id not in again]
        decisions.append(decision.and_then(_entry(row, customer_id, at) for row in fresh_rows))
        if services.pages:
            fresh = sorted(after.cases.keys() - before.account.cases.keys())
            opened += [LinkRow(unheld(), customer_id, case, at, FOR_BANNERS) for case in fresh]
    enacted = await enact_all(connection, decisions)
    await links.add(connection, *opened)
    unknown = {key for key, each in ids.items() if is_forgotten(loaded[each].account.instructions)}
    return enacted, [one.row.id for one in stated if not unknown.isdisjoint(one.customers)]


def _by_customer(
    stated: Sequence[Stated],
) -> tuple[dict[tuple[str, str], list[CustomerFact]], dict[tuple[str, str], list[InboxRow]]]:
    """Everybody's facts, and the rows that told them, in their order."""
    facts: dict[tuple[str, str], list[CustomerFact]] = defaultdict(list)
    rows: dict[tuple[str, str], list[InboxRow]] = defaultdict(list)
    for one in stated:
        for fact in one.facts:
            if not isinstance(fact, ClockMoved):
                key = (one.row.source, fact.customer)
                facts[key].append(fact)
                if rows[key][-1:] != [one.row]:
                    rows[key].append(one.row)
    return facts, rows


def _entry(row: InboxRow, customer_id: int, at: datetime) -> Entry:
    return Entry(customer_id, at, "event.applied", row.type, None, {"event": row.event_id})
