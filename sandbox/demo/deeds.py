"""Does what the customers of the stories do: on Stripe's pages, reached by the links in our mails."""

from __future__ import annotations

import asyncio
import re
from asyncio.subprocess import DEVNULL, PIPE
from datetime import timedelta

import httpx

from sandbox.demo.cast import Role, subscribe
from sandbox.demo.days import DAY_ZERO
from sandbox.demo.players import Payer
from sandbox.demo.stage import Stage
from sandbox.demo.story import (
    CancelsAtPeriodEnd,
    ConfirmsByLink,
    Deed,
    PaysByLink,
    Promises,
    SavesNewCard,
    Subscribes,
)
from sandbox.errors import SandboxError
from sandbox.programs import RUN
from sandbox.stripe import card_from_number


class DeedError(SandboxError):
    """A customer could not do what the story wants."""


async def perform(stage: Stage, player: Role | Payer, deed: Deed) -> None:
    """Do it now, at the time of the customer's clock. Raises DeedError."""
    if isinstance(player, Role):
        await _at_stripe(stage, player, deed)
    elif not isinstance(deed, PaysByLink):
        raise DeedError(f"nobody knows how to do {deed} there")
    elif not await player.pay(_newest_link(stage, player, player.pages)):
        raise DeedError(f"there is nothing to pay behind the link of {player.story.name}")


async def _at_stripe(stage: Stage, role: Role, deed: Deed) -> None:
    engine = stage.stripe.engine
    pages = f"{stage.stripe.url}/hosted/"
    match deed:
        case PaysByLink(card=card):
            await _submit(_newest_link(stage, role, pages), {"number": card})
        case ConfirmsByLink():
            await _submit(_newest_link(stage, role, pages), {})
        case SavesNewCard(card=card):
            engine.save_card(role.customer, card_from_number(card))
        case CancelsAtPeriodEnd() if role.subscription:
            engine.cancel(role.subscription, at_period_end=True)
        case Subscribes():
            subscribe(engine, role.story, role.customer)
        case Promises(until=day):
            await _write_down(stage, role, (DAY_ZERO + timedelta(days=day)).date().isoformat())
        case _:
            raise DeedError(f"nobody knows how to do {deed}")


async def _write_down(stage: Stage, role: Role, until: str) -> None:
    """As somebody of the team does who was told on the phone."""
    invoice = stage.stripe.engine.latest_invoice(role.subscription).id if role.subscription else ""
    command = [*RUN, "case", "promise", invoice, "--until", until, "--why", "paid then", "--by", "Grace"]
    process = await asyncio.create_subprocess_exec(
        *command, env=stage.environment, cwd=stage.logs, stdout=DEVNULL, stderr=PIPE
    )
    _, complaint = await process.communicate()
    if process.returncode:
        raise DeedError(f"the promise of {role.story.name} was not taken: {complaint.decode().strip()}")


def _newest_link(stage: Stage, role: Role | Payer, pages: str) -> str:
    """The payment page in the newest mail to this customer."""
    mails = stage.inbox.to(role.story.email)
    if not mails:
        raise DeedError(f"{role.story.name} wants to follow the link in a mail, but has none")
    newest = max(mails, key=lambda mail: mail.date)
    link = re.search(rf"{re.escape(pages)}\S+", newest.text)
    if link is None:
        raise DeedError(f'the mail "{newest.subject}" to {role.story.name} has no link to pay with')
    return link[0]


async def _submit(page: str, fields: dict[str, str]) -> None:
    """Pay on the page, and say yes to the bank if it asks."""
    async with httpx.AsyncClient(trust_env=False) as browser:
        answer = await browser.post(page, data=fields)
        if "/challenge" in answer.headers.get("location", ""):
            challenge = str(answer.url.join(answer.headers["location"]))
            answer = await browser.post(challenge, data={"answer": "complete"})
    if not answer.is_redirect:
        raise DeedError(f"the payment page answered {answer.status_code}")
