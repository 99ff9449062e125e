"""Time has passed: do what is due for some customers. Access is taken only after asking the provider."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from db import accounts
from db.accounts import Loaded
from dunning.account import Account
from dunning.case import settle
from dunning.events import ClockMoved, CustomerFact
from dunning.fold import fold
from dunning.plan import plan
from dunning.steps import Kind, Step
from providers.lookup import Lookup, ProviderUnavailableError, Subject
from tracing import spans
from worker.lookups import WITHIN, Questions
from worker.services import Services
from worker.usecases import holding
from worker.usecases.deciding import Decision, decide
from worker.usecases.enact import enact_all
from worker.usecases.learn import known_until
from worker.wake import wake

log = structlog.get_logger()

# A provider that cannot be asked never costs a customer their access: the revocation waits.
UNCONFIRMED = "nobody could confirm that the invoice is unpaid: access is kept for now"


@dataclass(frozen=True, slots=True)
class Due:
    """Steps of one customer that take access, and what is known of them before the account is locked.

    `answers` are the provider's facts by case; None: nobody confirmed that it is unpaid. `barred` says why it
    was not even asked.
    """

    customer_id: int
    taking: tuple[Step, ...] = ()
    barred: str | None = None
    answers: Mapping[str, list[CustomerFact] | None] = field(default_factory=dict)

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
    """Ask first, then lock, fold the answers and do what is still due."""
    now = services.clock()
    async with services.engine.connect() as connection:
        found = await accounts.load(connection, sorted(set(customer_ids)))
        taking = {each.id: _taking(services, each, now) for each in found.values()}
        bars = await holding.bars(connection, services.limits) if any(taking.values()) else holding.NONE
    due = [Due(each.id, taking[each.id], bars.why_kept(each)) for each in found.values()]
    asked = [each for each in due if each.taking and not each.barred]
    await _take(services, [each for each in due if each not in asked], now)
    pending = {
        asyncio.create_task(_ask_all(services, questions, found[each.customer_id], each, now))
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


def _taking(services: Services, found: Loaded, now: datetime) -> tuple[Step, ...]:
    at = found.clock or now
    due = plan(settle(found.account, services.policy), found.history, services.policy, at).due(at)
    return tuple(step for step in due if step.kind is Kind.ACCESS)


async def _take(services: Services, due: Sequence[Due], now: datetime) -> None:
    """Lock, fold, decide and write, for all of them at once."""
    if not due:
        return
    async with services.engine.begin() as connection:
        ids = sorted(each.customer_id for each in due)
        loaded = await accounts.load(connection, ids, lock=True)
        confirmed = any(each.confirmed for each in due)
        caps = await holding.caps(connection, services.limits) if confirmed else holding.NO_CAPS
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
                    settle(fold(account.account, *each.told), services.policy),
                    switch=switch,
                    policy=services.policy,
                    team_channels=services.team_channels,
                    now=account.clock or now,
                    verified=verified,
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
    await wake(services, {owner: replace(result, unverified=False) for owner, result in enacted.items()})


async def _ask_all(services: Services, questions: Questions, found: Loaded, due: Due, now: datetime) -> Due:
    at = found.clock or now
    answers = {step.case: await _ask(services, questions, found.account, step, at) for step in due.taking}
    return replace(due, answers=answers)


async def _ask(
    services: Services, questions: Questions, account: Account, step: Step, at: datetime
) -> list[CustomerFact] | None:
    """The provider's present view of the case, or None: nobody confirmed that it is unpaid."""
    if account.source not in services.gateways:
        return []
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
