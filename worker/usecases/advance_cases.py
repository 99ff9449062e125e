"""Time has passed: do what is due for some customers. Access is taken only after asking the provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from db import accounts
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
from worker.usecases.enact import enact
from worker.usecases.learn import known_until
from worker.wake import wake

log = structlog.get_logger()

# A provider that cannot be asked never costs a customer their access: the revocation waits.
UNCONFIRMED = "nobody could confirm that the invoice is unpaid: access is kept for now"


async def advance_cases(services: Services, customer_ids: Sequence[int], *, within: float = WITHIN) -> None:
    """Do what is due for these customers (row ids), each in a transaction of its own.

    A provider that has not answered after `within` seconds is not waited for by the customers behind.
    """
    questions = Questions(services, within)
    for customer_id in customer_ids:
        try:
            with spans.span("case.advance", customer=customer_id):
                await advance_customer(services, customer_id, questions)
        except Exception as error:
            # The next customer must not wait for this one; the scheduler brings it back.
            log.exception("customer.failed", customer=customer_id, error=type(error).__name__)


async def advance_customer(services: Services, customer_id: int, questions: Questions) -> None:
    """Ask first, then lock, fold the answer and do what is still due."""
    now = services.clock()
    async with services.engine.connect() as connection:
        found = (await accounts.load(connection, [customer_id])).get(customer_id)
        if found is None:
            return
        at = found.clock or now
        due = plan(settle(found.account, services.policy), found.history, services.policy, at).due(at)
        taking = [step for step in due if step.kind is Kind.ACCESS]
        barred = await holding.why_kept(connection, found, services.limits) if taking else None
    asked = [] if barred else taking
    answers = [await _ask(services, questions, found.account, step, at) for step in asked]
    confirmed = [step.case for step, answer in zip(asked, answers, strict=True) if answer is not None]
    async with services.engine.begin() as connection:
        loaded = (await accounts.load(connection, [customer_id], lock=True))[customer_id]
        verified, capped = await holding.within_caps(connection, loaded, confirmed, services.limits)
        told = [fact for answer in answers for fact in answer or ()]
        result = await enact(
            connection,
            loaded,
            settle(fold(loaded.account, *told), services.policy),
            policy=services.policy,
            team_channels=services.team_channels,
            now=loaded.clock or now,
            verified=verified,
        )
        # Whoever turns out to have paid has nothing left that could be kept.
        for step in taking if result.unverified else ():
            if step.case not in verified:
                why = capped if capped and step.case in confirmed else barred or UNCONFIRMED
                await holding.keep(connection, loaded, step, why, now)
    await wake(services, {customer_id: replace(result, unverified=False)})


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
    facts = [fact for fact in found if not isinstance(fact, ClockMoved)]
    if not facts:
        log.error("revocation.postponed", case=step.case, error="unknown to the provider")
    return facts or None
