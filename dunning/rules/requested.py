"""What customers ask for themselves, on their page: no plan decides it, and no reminder counts it.

A link to the page opens nothing a week after its case; whoever asks is sent a fresh one, to the address on
file.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from dunning.account import Account, Case, Outcome
from dunning.case import situation
from dunning.payer import confirmation_step
from dunning.reach import recipient
from dunning.steps import FRESH_LINK, PAYER_CONFIRMATION, Effect, History

MOST_FRESH_LINKS = 3
WITHIN = timedelta(days=1)


def case_to_show(account: Account, case: Case) -> Case | None:
    """What a fresh link would lead to, for somebody who has one of `case`; None: there is nothing to do.

    The account must be settled.
    """
    if case.is_open:
        return case
    if still_open := next(account.open_cases(), None):
        return still_open
    came_to_an_end = case.outcome is Outcome.ENDED and not situation(account, case).replaced
    return case if came_to_an_end else None


def fresh_link(account: Account, history: History, case: Case, now: datetime) -> str | None:
    """The key of the next fresh link for a case, or None: there have been enough for now."""
    asked = [e for e in history.values() if e.name == FRESH_LINK and e.case == case.invoice]
    if account.customer.deleted or sum(e.created_at > now - WITHIN for e in asked) >= MOST_FRESH_LINKS:
        return None
    return f"{FRESH_LINK}:{case.invoice}:{len(asked) + 1}"


def why_not_requested(account: Account, history: History, asked: Effect) -> str | None:
    """Why a mail that was asked for should not be sent after all, or None: go ahead."""
    about = account.cases.get(asked.case)
    if about is None or case_to_show(account, about) != about:
        return "there is nothing left to do on the page"
    if asked.name == PAYER_CONFIRMATION and asked.key != confirmation_step(account, asked.case):
        return "another address has been named since"
    if account.customer.email and recipient(account, history, asked.case, asked.name) is None:
        return "mails to the customer come back"
    return None
