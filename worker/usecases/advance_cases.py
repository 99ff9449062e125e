"""Time has passed: do what is due for some customers. Access is taken only after asking the provider."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts
from db.accounts import Loaded
from dunning.account import Account
from dunning.case import settle
from dunning.events import ClockMoved, CustomerFact
from dunning.fold import fold
from dunning.plan import Outlook
from dunning.steps import Kind, Step
from providers.lookup import Lookup, ProviderUnavailableError, Subject
from tracing import spans
from worker.lookups import WITHIN, Questions
from worker.services import Services
from worker.usecases import holding
from worker.usecases.deciding import Decision, decide
from worker.usecases.enact import Enacted, enact_all
from worker.usecases.learn import known_until
from worker.wake import wake

log = structlog.get_logger()

# A provider that cannot be asked never costs a customer their access: the revocation waits.
UNCONFIRMED = "nobody could confirm that the invoice is unpaid: access is kept for now"


@dataclass(frozen=True, slots=True)
class Due:
    """Steps of one customer that take access, and what is known before the account is locked for it.

    `answers` are the provider's facts by case; None: nobody confirmed that it is unpaid. `barred` says why it
    was not even asked. `outlook` is of the account as it is, without any answer.
    """

    customer_id: int
    taking: tuple[Step, ...] = ()
    barred: str | None = None
    answers: Mapping[str, list[CustomerFact] | None] = field(default_factory=dict)
    outlook: Outlook | None = None

    @property
    def confirmed(self) -> list[str]:
        return [case for case, facts in self.answers.items() if facts is not None]

    @property
    def told(self) -> list[CustomerFact]:
        return [fact for facts in self.answers.values() for fact in facts or ()]


async def advance_cases(services: Services, customer_ids: Sequence[int], *, within: float = WITHIN) -> None:
    """Do what is due for these customers (row ids), for many of them in one transaction.

    Whom nothing is taken from is not kept waiting for a provider; one that has not answered after `within`
    seconds confirms nothing. A batch that fails is tried again customer by customer.
    """
    questions = Questions(services, within)
    try:
        await _advance(services, customer_ids, questions)
    except Exception as error:
        log.warning("batch.split", customers=len(customer_ids), error=type(error).__name__)
        for customer_id in customer_ids:
            try:
                await _advance(services, [customer_id], questions)
            except Exception as own_error:
                # The next customer must not wait for this one; the scheduler brings it back.
                log.exception("customer.failed", customer=customer_id, error=type(own_error).__name__)


async def _advance(services: Services, customer_ids: Sequence[int], questions: Questions) -> None:
    """Do at once what nobody has to be asked about; ask about the others, without a lock, then do those."""
    now = services.clock()
    async with services.engine.begin() as connection:
        loaded = await accounts.load(connection, sorted(set(customer_ids)), lock=True)
        due = await _look(connection, services, loaded, now)
        asked = [each for each in due if _is_asked(services, loaded[each.customer_id], each)]
        wait = {each.customer_id for each in asked}
        others = [each for each in due if each.customer_id not in wait]
        enacted = await _do(connection, services, others, loaded, now)
    await wake(services, enacted)
    pending = {
        asyncio.create_task(_ask_all(services, questions, loaded[each.customer_id], each, now))
        for each in asked
    }
    try:
        # Whoever was answered in the meantime is taken together.
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            await _take(services, [task.result() for task in done], now)
    finally:
        for task in pending:
            task.cancel()


async def _look(
    connection: AsyncConnection, services: Services, loaded: Mapping[int, Loaded], now: datetime
) -> list[Due]:
    """What is due for these accounts that takes access, and what bars it; whom nobody can be asked about."""
    outlooks = {each.id: _outlook(services, each) for each in loaded.values()}
    taking = {row_id: _taking(outlooks[row_id], loaded[row_id].clock or now) for row_id in loaded}
    bars = await holding.bars(connection, services.limits) if any(taking.values()) else holding.NONE
    return [
        Due(
            row_id,
            steps,
            barred := bars.why_kept(loaded[row_id]),
            {}
            if barred or loaded[row_id].account.source in services.gateways
            else {s.case: [] for s in steps},
            outlooks[row_id],
        )
        for row_id, steps in taking.items()
    ]


def _outlook(services: Services, found: Loaded) -> Outlook:
    return Outlook(settle(found.account, services.policy), found.history, services.policy)


def _taking(outlook: Outlook, at: datetime) -> tuple[Step, ...]:
    steps = outlook.look(at).steps
    return tuple(step for step in steps if step.due_at <= at and step.kind is Kind.ACCESS)


def _is_asked(services: Services, found: Loaded, due: Due) -> bool:
    return bool(due.taking) and not due.barred and found.account.source in services.gateways


async def _take(services: Services, due: Sequence[Due], now: datetime) -> None:
    """Lock those who were asked about, fold the answers, decide and write, for all of them at once."""
    async with services.engine.begin() as connection:
        ids = sorted(each.customer_id for each in due)
        loaded = await accounts.load(connection, ids, lock=True)
        enacted = await _do(connection, services, [replace(each, outlook=None) for each in due], loaded, now)
    await wake(services, enacted)


async def _do(
    connection: AsyncConnection,
    services: Services,
    due: Sequence[Due],
    loaded: Mapping[int, Loaded],
    now: datetime,
) -> dict[int, Enacted]:
    """Decide for locked accounts and write; what is to be carried out after the commit."""
    wanted = sum(len(each.confirmed) for each in due)
    caps = await holding.caps(connection, services.limits, wanted) if wanted else holding.NO_CAPS
    switch = holding.Switch(connection)
    decisions: list[Decision] = []
    kept: list[tuple[Due, Sequence[str], str | None]] = []
    for each in sorted(due, key=lambda one: one.customer_id):
        account = loaded[each.customer_id]
        verified, capped = caps.allowed(account, each.confirmed)
        with spans.span("case.advance", customer=each.customer_id):
            decision = await decide(
                connection,
                account,
                each.outlook.account
                if each.outlook
                else settle(fold(account.account, *each.told), services.policy),
                switch=switch,
                policy=services.policy,
                team_channels=services.team_channels,
                now=account.clock or now,
                verified=verified,
                outlook=each.outlook,
            )
        caps = caps.after(account, decision.taken)
        decisions.append(decision)
        # Whoever turns out to have paid has nothing left that could be kept.
        if decision.unverified:
            kept.append((each, verified, capped))
    enacted = await enact_all(connection, decisions)
    for each, verified, capped in kept:
        for step in each.taking:
            if step.case not in verified:
                why = capped if capped and step.case in each.confirmed else each.barred or UNCONFIRMED
                await holding.keep(connection, loaded[each.customer_id], step, why, now)
    return {
        owner: replace(result, unverified=False) if result.unverified else result
        for owner, result in enacted.items()
    }


async def _ask_all(services: Services, questions: Questions, found: Loaded, due: Due, now: datetime) -> Due:
    at = found.clock or now
    answers = {step.case: await _ask(services, questions, found.account, step, at) for step in due.taking}
    return replace(due, answers=answers)


async def _ask(
    services: Services, questions: Questions, account: Account, step: Step, at: datetime
) -> list[CustomerFact] | None:
    """The provider's present view of the case, or None: nobody confirmed that it is unpaid."""
    lookup = Lookup(Subject.INVOICE, step.case, known_until(account) or at)
    try:
        found = await questions.ask(account.source, lookup)
    except ProviderUnavailableError as error:
        log.error("revocation.postponed", case=step.case, error=str(error))
        return None
    except Exception as error:
        # Whatever it is, it confirms nothing, and it must not hold up the customer's other steps.
        log.exception("revocation.postponed", case=step.case, error=type(error).__name__)
        return None
    facts = [fact for fact in found.facts if not isinstance(fact, ClockMoved)]
    if not facts:
        log.error("revocation.postponed", case=step.case, error="unknown to the provider")
    return facts or None
