"""From a claimed effect to the message that is stored and sent, this time and any other."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from db import outbox
from db.accounts import Loaded
from db.outbox import Claim
from dunning.case import Situation
from dunning.plan import plan
from dunning.steps import Kind
from emails.catalogue import Mail, TeamEscalation
from emails.chat import chat_text
from emails.render import render
from emails.translations import choose_locale
from providers.lookup import ProviderUnavailableError
from worker.compose import compose_escalation, compose_mail
from worker.courier import Courier
from worker.services import Services

# The link in a mail is worth waiting for, but not for ever: then the merchant's own page serves.
ATTEMPTS_FOR_A_LINK = 5


async def prepare(
    services: Services, courier: Courier, claim: Claim, loaded: Loaded, case: Situation, at: datetime
) -> dict[str, Any]:
    """Write the message as of `at`, the account's time; plain values, fit to be stored as JSON.

    Raises ProviderUnavailableError while the link to pay cannot be had and is still worth waiting for, and
    NothingToPayError.
    """
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
        services.policy.of(case.case),
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
    sender = courier.sender
    if claim.channel == "chat":
        assert isinstance(props, TeamEscalation)  # noqa: S101  # only the team has a chat; tells mypy
        return {"text": chat_text(props, timezone=sender.timezone, templates=sender.templates)}
    mail = render(
        props,
        brand=sender.brand,
        locale=locale,
        timezone=sender.timezone,
        now=at,
        templates=sender.templates,
    )
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
    # Paying an invoice of a subscription that has ended would bring nothing back.
    if gateway is None or claim.name == "payment_recovered" or case.subscription.ended:
        return fallback
    try:
        return await gateway.payment_link(claim.case) or fallback
    except ProviderUnavailableError:
        if claim.fence < ATTEMPTS_FOR_A_LINK:
            raise
        return fallback
