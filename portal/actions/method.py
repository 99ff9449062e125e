"""Give another way to pay, on the provider's own page: no card number ever passes through ours.

Whoever comes back is shown the form of `retry.SETTLE`: the address they come back to changes nothing.
"""

from __future__ import annotations

import structlog

from dunning.abilities import Ability
from portal.actions import Action, Answer, Asked, Leave, Shown
from portal.facts import Facts
from providers.lookup import ProviderUnavailableError

log = structlog.get_logger()

BACK = "back"


def _suits(seen: Facts) -> bool:
    return seen.payable and seen.refused_anew is None


async def _change(asked: Asked) -> Answer:
    try:
        url = await asked.gateway.method_page(asked.behind.account.customer.ref, f"{asked.page}?{BACK}=1")
    except ProviderUnavailableError as error:
        log.warning("page.unreachable", page="method", error=str(error))
        return Shown("away")
    return Leave(url)


METHOD = Action("method", _suits, _change, needs=Ability.PAGES)
