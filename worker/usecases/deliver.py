"""Carry out one effect: claim it, ask again whether it is still wanted, render once, send, write down.

Killed between any two steps, the lease runs out and somebody else goes on: with the stored message if
nothing was handed over yet, and with the status `unknown` if it may have been.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog

from db import accounts, journal, outbox
from db.accounts import Loaded
from db.journal import Entry
from db.outbox import Claim
from dunning.case import Situation, settle, situation
from dunning.plan import plan, why_not
from dunning.steps import Kind
from emails.catalogue import Mail, TeamEscalation
from emails.chat import chat_text
from emails.delivery import Accepted, Deferred, Delivery, Rejected
from emails.render import render
from emails.translations import choose_locale
from providers.lookup import ProviderUnavailableError
from worker.compose import compose_escalation, compose_mail
from worker.courier import Courier
from worker.queues import CASES
from worker.services import Services

log = structlog.get_logger()

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
# With doubling waits most of a working day; then the mail counts as failed and a person is called.
MOST_ATTEMPTS = 14
# The link in a mail is worth waiting for, but not for ever: then the merchant's own page serves.
ATTEMPTS_FOR_A_LINK = 5


async def deliver(services: Services, courier: Courier, effect_id: int) -> None:
    """Carry out one outbox row, unless it is done, somebody else's, or no longer wanted."""
    async with services.engine.begin() as connection:
        claim = await outbox.claim(connection, effect_id)
        if claim is None:
            return
        loaded = (await accounts.load(connection, [claim.customer_id]))[claim.customer_id]
    if claim.handed_over:
        await _finish(services, loaded, claim, "unknown", error="an earlier send was never answered")
        return
    account = settle(loaded.account, services.policy)
    at = loaded.clock or services.clock()
    excuse = why_not(account, loaded.history, services.policy, at, claim.step)
    if excuse:
        await _finish(services, loaded, claim, "suppressed", error=excuse)
        return
    recipient = _recipient(courier, claim, loaded)
    if recipient is None and claim.channel == "mail":
        await _finish(services, loaded, claim, "failed", error="there is no address to send it to")
        return
    case = situation(account, account.cases[claim.case])
    try:
        stored = claim.rendered or await _render(services, courier, claim, loaded, case, at)
    except ProviderUnavailableError as error:
        await _postpone(services, claim, str(error), loaded)
        return
    async with services.engine.begin() as connection:
        ours = await outbox.hand_over(connection, claim, recipient, stored)
    if ours:
        answer = await courier.send(claim.channel, claim.step, recipient, stored)
        await _write_down(services, loaded, claim, answer)


def _recipient(courier: Courier, claim: Claim, loaded: Loaded) -> str | None:
    """The address the message was first made for; else the customer's present one, or the team's."""
    if claim.recipient:
        return claim.recipient
    return loaded.account.customer.email if claim.kind is Kind.MAIL else courier.sender.team_address


async def _write_down(services: Services, loaded: Loaded, claim: Claim, answer: Delivery) -> None:
    if isinstance(answer, Accepted):
        await _finish(services, loaded, claim, "sent")
    elif isinstance(answer, Deferred):
        await _postpone(services, claim, f"{answer.code} {answer.text}", loaded)
    elif isinstance(answer, Rejected):
        why = f"the server refused it with {answer.code}"
        await _finish(services, loaded, claim, "failed", error=why, details=answer.text)
    else:
        await _finish(services, loaded, claim, "unknown", error="the mail server never answered")


async def _render(
    services: Services, courier: Courier, claim: Claim, loaded: Loaded, case: Situation, at: datetime
) -> dict[str, Any]:
    """The message as it will be stored and sent, this time and any other."""
    sender, history = courier.sender, loaded.history
    plan_name = await _plan_name(services, case)
    if claim.kind is Kind.TEAM:
        escalation = compose_escalation(
            case,
            plan(case.account, history, services.policy, at),
            history,
            reason=claim.reason,
            now=at,
            livemode=sender.livemode,
            plan_name=plan_name,
        )
        return await _stored(services, courier, claim, escalation, "en", at)
    props = compose_mail(
        case,
        history,
        services.policy,
        key=claim.step,
        name=claim.name,
        now=at,
        pay_url=await _pay_url(services, courier, claim, case),
        plan_name=plan_name,
    )
    return await _stored(services, courier, claim, props, choose_locale(case.account.customer.locales), at)


async def _stored(
    services: Services, courier: Courier, claim: Claim, props: Mail, locale: str, at: datetime
) -> dict[str, Any]:
    if claim.channel == "chat":
        assert isinstance(props, TeamEscalation)  # noqa: S101  # only the team has a chat; tells mypy
        return {"text": chat_text(props, timezone=courier.sender.timezone)}
    mail = render(props, brand=courier.sender.brand, locale=locale, timezone=courier.sender.timezone, now=at)
    async with services.engine.connect() as connection:
        thread = await outbox.first_mail_of(connection, claim.customer_id, claim.case)
    return {
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "date": at.isoformat(),
        "thread": thread if claim.kind is Kind.MAIL else None,
    }


async def _plan_name(services: Services, case: Situation) -> str | None:
    gateway = services.gateways.get(case.account.source)
    if case.subscription.plan or gateway is None or case.subscription.product is None:
        return case.subscription.plan
    try:
        return await gateway.product_name(case.subscription.product)
    except ProviderUnavailableError:
        # A mail reads well without the plan's name; waiting for it would only delay the news.
        return None


async def _pay_url(services: Services, courier: Courier, claim: Claim, case: Situation) -> str | None:
    """Where the invoice is paid or confirmed. Fetched now: a link shown earlier may have expired."""
    gateway = services.gateways.get(case.account.source)
    fallback = courier.sender.billing_page_url
    if gateway is None or claim.name == "payment_recovered":
        return fallback
    try:
        return await gateway.payment_link(claim.case) or fallback
    except ProviderUnavailableError:
        if claim.fence < ATTEMPTS_FOR_A_LINK:
            raise
        return fallback


async def _postpone(services: Services, claim: Claim, error: str, loaded: Loaded) -> None:
    """Certainly not sent: try again, later each time, and give up where a person is of more use."""
    if claim.fence >= MOST_ATTEMPTS:
        await _finish(services, loaded, claim, "failed", error=error)
        return
    wait = min(FIRST_WAIT * 2 ** (claim.fence - 1), LONGEST_WAIT)
    log.warning("effect.postponed", step=claim.step, seconds=wait.total_seconds())
    async with services.engine.begin() as connection:
        await outbox.postpone(connection, claim, wait, error)


async def _finish(
    services: Services,
    loaded: Loaded,
    claim: Claim,
    status: str,
    *,
    error: str | None = None,
    details: str = "",
) -> None:
    """Write the outcome down and have the case look at it: a warning that was accepted starts a deadline.

    `details` are the server's own words: they may repeat the address, so the journal goes without them.
    """
    at = loaded.clock or services.clock()
    accepted_at = at if status == "sent" else None
    said = f"{error}: {details}"[:500] if details else error
    async with services.engine.begin() as connection:
        if not await outbox.finish(connection, claim, status, accepted_at=accepted_at, error=said):
            return
        verb = "mail" if claim.channel == "mail" else claim.channel
        entry = Entry(claim.customer_id, at, f"{verb}.{status}", error, claim.case, {"step": claim.step})
        await journal.write(connection, [entry])
        await accounts.look_again(connection, claim.customer_id, [claim.case], at)
    log.info(f"{verb}.{status}", customer=claim.customer_id, case=claim.case, step=claim.step)
    await services.nudge(CASES, [claim.customer_id])
