"""Charge what is on file once more, now, and tell what the bank says."""

from __future__ import annotations

from dunning.abilities import Ability
from dunning.rules.paying_now import Refusal
from portal.actions import Action, Answer, Asked, Leave, Shown
from portal.actions.confirm import leave_to_confirm
from portal.facts import Facts
from providers.lookup import NOTHING_NEW
from worker.usecases.charge_now import Click, charge_now


def _suits(seen: Facts) -> bool:
    return seen.payable and seen.card is not None and seen.refused is None


def _suits_anew(seen: Facts) -> bool:
    return seen.payable and seen.refused_anew is None


async def _retry(asked: Asked) -> Answer:
    return await _charge(asked, anew=False)


async def _settle(asked: Asked) -> Answer:
    return await _charge(asked, anew=True)


async def _charge(asked: Asked, *, anew: bool) -> Answer:
    link = asked.behind.link
    click = Click(link.customer_id, link.case, asked.nonce, anew=anew)
    found = await charge_now(asked.services, click)
    if isinstance(found, Refusal):
        return Shown()  # the page says why
    if found is None:
        return Shown("unknown")
    if found.needs_confirmation and isinstance(leave := await leave_to_confirm(asked), Leave):
        return leave
    match found.result:
        case "paid" | "processing":
            return Shown()
        case "declined":
            return Shown("declined_anew" if anew else "declined")
        case _:
            return Shown("nothing_new" if found.reason == NOTHING_NEW else "refused")


RETRY = Action("retry", _suits, _retry, needs=Ability.CHARGE)
SETTLE = Action("settle", _suits_anew, _settle, on_return=True, needs=Ability.CHARGE)
