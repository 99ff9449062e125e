"""Who pays, if not the address on file: named on the customer's page, and confirmed by that address.

Whoever holds a forwarded link could otherwise have a customer's bills sent to themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dunning.account import Account
from dunning.instructions import Instruction, Verb
from dunning.steps import PAYER_CONFIRMATION, PAYER_LINK

MOST_NAMED = 3
WITHIN = timedelta(days=1)
# A confirmation that comes much later may be of somebody who has forgotten what it was about.
GOOD_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Payer:
    """A confirmed address, by the number of its naming; `step` is the mail that sent it the page."""

    address: str
    step: str


def payer(account: Account, case: str) -> Payer | None:
    """To whom mails about a case go, if not to the address on file."""
    named = _namings(account, case)
    confirmed = [each for each in account.instructions if _is(each, Verb.CONFIRM_PAYER, case)]
    if not confirmed:
        return None
    last = confirmed[-1]
    number = sum(each.at <= last.at for each in named)
    return Payer(last.to or "", f"{PAYER_LINK}:{case}:{number}")


def naming(account: Account, case: str, now: datetime) -> Instruction | None:
    """What waits for its confirmation."""
    named = _namings(account, case)
    if not named or now > named[-1].at + GOOD_FOR:
        return None
    later = (each for each in account.instructions if _is(each, Verb.CONFIRM_PAYER, case))
    return None if any(each.at >= named[-1].at for each in later) else named[-1]


def confirmation_step(account: Account, case: str) -> str:
    """The key of the mail that asks for it; its link alone may confirm."""
    return f"{PAYER_CONFIRMATION}:{case}:{len(_namings(account, case))}"


def link_step(account: Account, case: str) -> str:
    """The key of the mail with the page, to whom was confirmed."""
    return f"{PAYER_LINK}:{case}:{len(_namings(account, case))}"


def why_not_named(account: Account, told: Instruction, now: datetime) -> str | None:
    """Why an address cannot be named now, with its cure, or None."""
    case = told.case or ""
    if not account.customer.email:
        return "There is no address on file that could confirm it: set one at the provider."
    found = payer(account, case)
    if not told.to or told.to == (found.address if found else account.customer.email):
        return "Mails go there already: name another address."
    recent = [each for each in _namings(account, case) if each.at > now - WITHIN]
    if len(recent) >= MOST_NAMED:
        return f"{MOST_NAMED} addresses were named within a day: try again tomorrow."
    return None


def why_not_confirmed(account: Account, told: Instruction, now: datetime) -> str | None:
    """Why it cannot be confirmed, with its cure, or None."""
    waits = naming(account, told.case or "", now)
    if waits is None or waits.to != told.to:
        return "Nothing waits for a confirmation: name the address again on the page."
    return None


def _namings(account: Account, case: str) -> list[Instruction]:
    return [each for each in account.instructions if _is(each, Verb.NAME_PAYER, case)]


def _is(told: Instruction, verb: Verb, case: str) -> bool:
    return told.verb is verb and told.case == case
