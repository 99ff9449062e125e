"""To which address a mail goes: of those a customer has, the first from which none has come back.

Nothing of this is stored: it follows from what became of the mails that were sent. An address that is
corrected at the provider is another one, and what came back from the old one says nothing about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from dunning.account import Account
from dunning.instructions import Verb
from dunning.payer import payer
from dunning.results import Result
from dunning.steps import PAYER_CONFIRMATION, Effect, History, Kind

# The entry in the customer's metadata at the provider that names a second address for bills.
BILLING_CONTACT = "billing_email"

FOR_EVER = datetime.max.replace(tzinfo=UTC)

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


def went_unheard(account: Account, undone: History, mail: Effect) -> bool:
    """Whether a mail told nobody: it came to nothing, or its address turned out to take no mail.

    A bounce of one mail says that of the others to the same address, but for those whose own delivery was
    told, and those that were sent after somebody had said that it works. Of the history only what came to
    nothing is read.
    """
    if mail.undone:
        return True
    bounced = [each for each in undone.values() if each.undone is Result.HARD_BOUNCE and each.recipient]
    if not bounced or mail.delivered_at or not mail.recipient:
        return False
    address = _same(mail.recipient)
    return any(
        _same(each.recipient or "") == address and not _said_to_work(account, _sent_at(each), mail.created_at)
        for each in bounced
    )


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
        if came_back and effect.recipient and not _said_to_work(account, _sent_at(effect)):
            address = _same(effect.recipient)
            lost[address] = min(lost.get(address, effect.created_at), effect.created_at)
    return lost


def _sent_at(mail: Effect) -> datetime:
    return mail.accepted_at or mail.created_at


def _said_to_work(account: Account, since: datetime, until: datetime = FOR_EVER) -> bool:
    words = (told.at for told in account.instructions if told.verb is Verb.ADDRESS_WORKS)
    return any(since <= at <= until for at in words)


def _same(address: str) -> str:
    """Nobody has two mailboxes that differ in capital letters alone."""
    return address.strip().casefold()
