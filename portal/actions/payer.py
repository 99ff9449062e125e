"""Somebody else pays: named on the page, confirmed by the address on file, told of it all from then on.

The link in the mail to the address on file is the only one that can confirm.
"""

from __future__ import annotations

from collections.abc import Callable

from db import accounts, outbox
from dunning.account import Account
from dunning.instructions import THE_CUSTOMER, Verb
from dunning.payer import confirmation_step, link_step
from dunning.requests import Request
from dunning.steps import PAYER_CONFIRMATION, PAYER_LINK
from emails.addresses import AddressError, parse_address
from portal.actions import Action, Answer, Asked, Shown
from portal.facts import Facts
from portal.mailing import on_request
from worker.queues import MAIL
from worker.usecases.instruct import RefusedError, instruct

WHY = "said on the page"
LONGEST = 254  # characters: RFC 5321, 4.5.3.1.3


def _suits(seen: Facts) -> bool:
    return seen.payable and seen.naming is None


def _suits_confirmation(seen: Facts) -> bool:
    return seen.naming is not None


async def _name(asked: Asked) -> Answer:
    try:
        address = parse_address(asked.form.get("address", "").strip()[: LONGEST + 1]).addr_spec
    except AddressError:
        return Shown("no_such_address")
    if len(address) > LONGEST:
        return Shown("no_such_address")
    done = await _say(asked, Verb.NAME_PAYER, address, PAYER_CONFIRMATION, confirmation_step)
    return Shown("payer_named" if done else "payer_refused")


async def _confirm(asked: Asked) -> Answer:
    address = asked.seen.naming
    done = address and await _say(asked, Verb.CONFIRM_PAYER, address, PAYER_LINK, link_step)
    return Shown("payer_confirmed" if done else "payer_refused")


async def _say(asked: Asked, verb: Verb, to: str, mail: str, step_of: Callable[[Account, str], str]) -> bool:
    """Write it down together with the mail that follows from it; False: it cannot be said now."""
    services, link = asked.services, asked.behind.link
    request = Request(verb, THE_CUSTOMER, WHY, case=link.case, to=to)
    try:
        async with services.engine.begin() as connection:
            told = await instruct(
                connection,
                link.customer_id,
                request,
                policy=services.policy,
                zone=asked.behind.context.policy.zone,
                now=services.clock(),
            )
            loaded = (await accounts.load(connection, [link.customer_id]))[link.customer_id]
            step = step_of(loaded.account, link.case)
            effect = on_request(link.customer_id, link.case, step, mail, WHY, told.at)
            rows = await outbox.add(connection, [effect])
    except RefusedError:
        return False
    await services.nudge(MAIL, rows)
    return True


NAME_PAYER = Action("payer", _suits, _name, pays=False)
CONFIRM_PAYER = Action("confirm-payer", _suits_confirmation, _confirm, pays=False)
