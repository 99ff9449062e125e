"""Does what the customers of the stories do: on Stripe's pages, reached by the links in our mails."""

from __future__ import annotations

import re

import httpx

from sandbox.demo.cast import Role
from sandbox.demo.stage import Stage
from sandbox.demo.story import CancelsAtPeriodEnd, ConfirmsByLink, Deed, PaysByLink, SavesNewCard
from sandbox.errors import SandboxError
from sandbox.stripe import card_from_number


class DeedError(SandboxError):
    """A customer could not do what the story wants."""


async def perform(stage: Stage, role: Role, deed: Deed) -> None:
    """Do it now, at the time of the customer's clock. Raises DeedError."""
    engine = stage.stripe.engine
    match deed:
        case PaysByLink(card=card):
            await _submit(_newest_link(stage, role), {"number": card})
        case ConfirmsByLink():
            await _submit(_newest_link(stage, role), {})
        case SavesNewCard(card=card):
            engine.save_card(role.customer, card_from_number(card))
        case CancelsAtPeriodEnd():
            engine.cancel(role.subscription, at_period_end=True)
        case _:
            raise DeedError(f"nobody knows how to do {deed}")


def _newest_link(stage: Stage, role: Role) -> str:
    """The payment page in the newest mail to this customer."""
    mails = stage.inbox.to(role.story.email)
    if not mails:
        raise DeedError(f"{role.story.name} wants to follow the link in a mail, but has none")
    newest = max(mails, key=lambda mail: mail.date)
    link = re.search(rf"{re.escape(stage.stripe.url)}/hosted/\S+", newest.text)
    if link is None:
        raise DeedError(f'the mail "{newest.subject}" to {role.story.name} has no link to pay with')
    return link[0]


async def _submit(page: str, fields: dict[str, str]) -> None:
    async with httpx.AsyncClient(trust_env=False) as browser:
        answer = await browser.post(page, data=fields)
    if not answer.is_redirect:
        raise DeedError(f"the payment page answered {answer.status_code}")
