"""From a claimed effect to the message that is stored and sent, this time and any other."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from db import links
from db.accounts import Loaded
from db.links import LinkRow
from db.outbox import Claim
from db.session import at_once
from dunning.abilities import Ability
from dunning.account import Account, Subscription
from dunning.payer import payer
from dunning.plan import plan
from dunning.reach import recipient
from dunning.rules.context import Context, context
from dunning.rules.renewals import upcoming
from dunning.steps import Kind
from dunning.zones import zone_of
from emails.catalogue import Mail, TeamEscalation
from emails.chat import chat_text
from emails.reference import mail_key
from emails.render import render
from emails.translations import choose_locale
from providers.lookup import ProviderUnavailableError
from providers.systems import abilities_of
from worker.compose import compose_mail
from worker.compose_renewal import compose_renewal
from worker.compose_team import compose_escalation
from worker.courier import Courier
from worker.services import Services

# The link in a mail is worth waiting for, but not for ever: then the merchant's own page serves.
ATTEMPTS_FOR_A_LINK = 5


async def prepare(
    services: Services, courier: Courier, claim: Claim, loaded: Loaded, account: Account, at: datetime
) -> dict[str, Any]:
    """Write the message as of `at`, the account's time; plain values, fit to be stored as JSON.

    `account` is the settled one. Raises ProviderUnavailableError while the link to pay cannot be had and is
    still worth waiting for, and NothingToPayError.
    """
    locale = choose_locale(account.customer.locales)
    if claim.case not in account.cases:
        renewal = await _renewal(services, courier, claim, account, at)
        return await _stored(services, courier, claim, loaded, renewal, locale, at)
    c = context(account, account.cases[claim.case], loaded.history, services.policy, at)
    plan_name = await _plan_name(services, account, c.s.subscription)
    if claim.kind is Kind.TEAM:
        escalation = compose_escalation(
            c,
            plan(account, loaded.history, services.policy, at),
            reason=claim.reason,
            livemode=courier.sender.livemode,
            plan_name=plan_name,
        )
        return await _stored(services, courier, claim, loaded, escalation, "en", at)
    props = compose_mail(
        c,
        key=claim.step,
        name=claim.name,
        pay_url=await _pay_url(services, courier, claim, c, plan_name),
        plan_name=plan_name,
    )
    return await _stored(services, courier, claim, loaded, props, locale, at)


async def _renewal(
    services: Services, courier: Courier, claim: Claim, account: Account, at: datetime
) -> Mail:
    # Asked whether it is still wanted a moment ago, so it is there.
    renewal = next(each for each in upcoming(account, at) if each.ref == claim.case)
    return compose_renewal(
        renewal,
        name=claim.name,
        customer_name=account.customer.name,
        plan_name=await _plan_name(services, account, renewal.subscription),
        page_url=courier.sender.billing_page_url,
    )


async def _stored(
    services: Services,
    courier: Courier,
    claim: Claim,
    loaded: Loaded,
    props: Mail,
    locale: str,
    at: datetime,
) -> dict[str, Any]:
    sender = courier.sender
    if claim.channel == "chat":
        assert isinstance(props, TeamEscalation)  # noqa: S101  # only the team has a chat; tells mypy
        return {"text": chat_text(props, timezone=sender.timezone, templates=sender.templates)}
    zone = zone_of(loaded.account, sender.timezone.key)
    mail = render(
        props,
        brand=sender.brand,
        locale=locale,
        timezone=sender.timezone if claim.kind is Kind.TEAM else zone,
        now=at,
        templates=sender.templates,
    )
    if claim.channel != "mail":
        return {"title": mail.subject, "text": mail.text}
    elsewhere = payer(loaded.account, claim.case)
    to = recipient(loaded.account, loaded.history, claim.case, claim.name)
    thread = claim.thread
    if elsewhere and elsewhere.address == to:
        # Whoever was named has a thread of their own.
        thread = None if claim.step == elsewhere.step else elsewhere.step
    return {
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "date": at.isoformat(),
        "thread": mail_key(loaded.account.source, thread) if thread and claim.kind is Kind.MAIL else None,
    }


async def _plan_name(services: Services, account: Account, subscription: Subscription) -> str | None:
    gateway = services.gateways.get(account.source)
    if subscription.plan or gateway is None or subscription.product is None:
        return subscription.plan
    try:
        return await gateway.product_name(subscription.product)
    except ProviderUnavailableError:
        # A mail reads well without the plan's name; waiting for it would only delay the news.
        return None


async def _pay_url(
    services: Services, courier: Courier, claim: Claim, c: Context, plan_name: str | None
) -> str | None:
    """Where the invoice is paid or confirmed: our own page, if there is one, else the provider's.

    The provider is asked in any case, and now: a link of theirs that was shown earlier may have expired, and
    whoever has paid meanwhile wants no mail.
    """
    hosted = None
    # Paying an invoice of a subscription that has ended would bring nothing back.
    if claim.name != "payment_recovered" and not c.s.subscription.ended:
        hosted = await _hosted(services, claim, c)
    pages = courier.sender.pages
    if pages is None or claim.name == "payment_recovered":
        return hosted or courier.sender.billing_page_url
    minted = pages.links.mint()
    link = LinkRow(
        minted.digest,
        claim.customer_id,
        claim.case,
        c.now,
        made_by=claim.step,
        plan=plan_name,
        pay_url=hosted,
    )
    async with at_once(services.engine) as connection:
        await links.add(connection, link)
    return pages.url(minted)


async def _hosted(services: Services, claim: Claim, c: Context) -> str | None:
    """The provider's own page for the invoice: asked for, or as its events have told."""
    gateway = services.gateways.get(c.s.account.source)
    if gateway is None or Ability.PAGES not in abilities_of(c.s.account.source):
        return c.s.invoice.pay_url
    try:
        return await gateway.payment_link(claim.case)
    except ProviderUnavailableError:
        if claim.fence < ATTEMPTS_FOR_A_LINK:
            raise
        return c.s.invoice.pay_url
