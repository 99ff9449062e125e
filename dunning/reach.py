"""To which address a mail goes: of those a customer has, the first from which none has come back.

Nothing of this is stored: it follows from what became of the mails that were sent. An address that is
corrected at the provider is another one, and what came back from the old one says nothing about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dunning.account import Account
from dunning.instructions import Verb
from dunning.payer import payer
from dunning.steps import PAYER_CONFIRMATION, Effect, History, Kind

# The entry in the customer's metadata at the provider that names a second address for bills.
BILLING_CONTACT = "billing_email"

NO_ADDRESS_LEFT = "mails to the customer come back, and no other address is known"


def recipient(account: Account, history: History, case: str, name: str) -> str | None:
    """Where a mail about a case goes; None: nowhere. `name` is the mail's.

    What asks whether somebody else pays goes to the address on file alone.
    """
    lost = _lost(account, history)
    if name == PAYER_CONFIRMATION:
        on_file = account.customer.email
        return on_file if on_file and _same(on_file) not in lost else None
    return next((each for each in _addresses(account, case) if _same(each) not in lost), None)


def unreachable_since(account: Account, history: History, case: str) -> datetime | None:
    """When the mail was decided by whose return the last address was lost; None: there is one left.

    Who has never had an address has lost none.
    """
    lost = _lost(account, history)
    if not lost:
        return None
    known = [_same(each) for each in _addresses(account, case)]
    return max(lost[each] for each in known) if known and all(each in lost for each in known) else None


def anything_returned(account: Account, history: History) -> bool:
    """Whether there is an address that we do not write to any more."""
    return bool(_lost(account, history))


def _addresses(account: Account, case: str) -> Iterator[str]:
    """Of whoever pays this case, the best first."""
    elsewhere = payer(account, case)
    named = elsewhere.address if elsewhere else None
    second = dict(account.customer.metadata).get(BILLING_CONTACT, "").strip()
    yield from (each for each in (named, account.customer.email, second) if each)


def _lost(account: Account, history: History) -> dict[str, datetime]:
    """Addresses that have returned a mail, with the time of the first decided; none that works again."""
    lost: dict[str, datetime] = {}
    for effect in history.values():
        came_back = effect.returned and effect.kind is Kind.MAIL
        if came_back and effect.recipient and not _said_to_work_since(account, effect):
            address = _same(effect.recipient)
            lost[address] = min(lost.get(address, effect.created_at), effect.created_at)
    return lost


def _said_to_work_since(account: Account, effect: Effect) -> bool:
    sent_at = effect.accepted_at or effect.created_at
    return any(told.verb is Verb.ADDRESS_WORKS and told.at >= sent_at for told in account.instructions)


def _same(address: str) -> str:
    """Nobody has two mailboxes that differ in capital letters alone."""
    return address.strip().casefold()
