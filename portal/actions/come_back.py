"""Come back after the end: buy again what has ended, or pay the invoice that brings an unpaid one back.

Whoever has another subscription buys nothing here: the provider is asked, on every click, before anything is
made. Access follows by the ordinary events of what they have bought.
"""

from __future__ import annotations

import structlog

from db import journal
from db.journal import Entry
from dunning.abilities import Ability
from portal.actions import Action, Answer, Asked, Leave, Shown
from portal.actions.method import BACK
from portal.facts import Facts
from providers.lookup import (
    Lookup,
    NothingToPayError,
    NotSoldError,
    ProviderUnavailableError,
    Subject,
)
from worker.usecases.learn import known_until, learn

log = structlog.get_logger()

REASON = "the customer asked for it on their page"


def _suits(seen: Facts) -> bool:
    return seen.may_return or seen.on_hold


async def _come_back(asked: Asked) -> Answer:
    subscription = asked.behind.case.subscription
    try:
        if asked.seen.on_hold:
            url: str | None = await asked.gateway.revive(subscription)
        else:
            url = await asked.gateway.begin_again(subscription, f"{asked.page}?{BACK}=1")
        if url is None:
            await _read_anew(asked)
            return Shown("has_one")
    except NothingToPayError:
        return await _refreshed(asked)
    except NotSoldError as error:
        log.warning("return.refused", error=str(error))
        return Shown("not_sold")
    except ProviderUnavailableError as error:
        log.warning("page.unreachable", page="return", error=str(error))
        return Shown("away")
    await _write_down(asked)
    return Leave(url)


async def _refreshed(asked: Asked) -> Answer:
    """The page as it is by the provider's newest word: what it was to bring back is not unpaid any more."""
    try:
        await _read_anew(asked)
    except ProviderUnavailableError as error:
        log.warning("page.unreachable", page="return", error=str(error))
        return Shown("away")
    return Shown()


async def _read_anew(asked: Asked) -> None:
    """What we did not know of: a page that is shown next has to say it."""
    behind = asked.behind
    seen = await asked.gateway.look_up(
        Lookup(Subject.SUBSCRIPTION, behind.case.subscription, known_until(behind.account) or behind.at)
    )
    await learn(asked.services, behind.link.customer_id, seen.facts)


async def _write_down(asked: Asked) -> None:
    behind = asked.behind
    entry = Entry(
        behind.link.customer_id,
        behind.at,
        "return.asked",
        REASON,
        behind.link.case,
        {"subscription": behind.case.subscription},
    )
    async with asked.services.engine.begin() as connection:
        await journal.write(connection, [entry])


COME_BACK = Action("come_back", _suits, _come_back, needs=Ability.SELL)
