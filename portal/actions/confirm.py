"""Confirm a payment with the bank, on the provider's page for the invoice, by an address fetched afresh."""

from __future__ import annotations

import structlog

from dunning.abilities import Ability
from dunning.rules.paying_now import Refusal
from portal.actions import Action, Answer, Asked, Leave, Shown
from portal.facts import Facts
from providers.lookup import NothingToPayError, ProviderUnavailableError

log = structlog.get_logger()


def _suits(seen: Facts) -> bool:
    return seen.payable and seen.refused is Refusal.NEEDS_BANK


async def leave_to_confirm(asked: Asked) -> Answer:
    """To the page of the invoice, or a word about why not."""
    try:
        url = await asked.gateway.payment_link(asked.behind.link.case)
    except NothingToPayError:
        return Shown("refused")
    except ProviderUnavailableError as error:
        log.warning("page.unreachable", page="invoice", error=str(error))
        return Shown("away")
    return Leave(url) if url else Shown("refused")


CONFIRM = Action("confirm", _suits, leave_to_confirm, needs=Ability.PAGES)
