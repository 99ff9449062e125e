"""A row of `db.figures.cases` as figures see it: what it was worth, why it failed, and what it came to."""

from __future__ import annotations

from typing import Any

from console.figures.period import Period
from console.figures.tally import Fate, SeenCase
from db import mapping
from dunning.account import Outcome
from dunning.causes import Cause, Evidence, cause_of
from dunning.declines import BANK_DEBIT_METHODS

# Not an `Outcome`: it is open; or the subscription goes on by a later payment, and this invoice is unpaid.
OPEN, PASSED_OVER = "open", "passed_over"
NO_CODE = "none"

PAID = frozenset({Outcome.RECOVERED, Outcome.PAID_AFTER_END})


def seen(row: Any, period: Period) -> SeenCase:
    """The case of one row."""
    # Of the first charge: later ones fail for other reasons, such as too many tries.
    decline = mapping.decline(row)
    fate = _fate(row)
    # Amounts are the newest and the most ever seen, of different moments: no part may exceed the whole.
    due = max(row.amount_due, row.amount_paid)
    unpaid = min(row.amount_remaining, due - row.amount_paid) if fate is Fate.OPEN else 0
    until = row.paid_at if fate is Fate.RECOVERED else row.closed_at or row.seen_at
    return SeenCase(
        month=period.month_of(row.opened_at),
        currency=row.currency.lower(),
        category=decline.category.value,
        code=decline.code or NO_CODE,
        outcome=_outcome(row),
        fate=fate,
        cause=_cause(row) if fate is Fate.RECOVERED else None,
        due=due,
        paid=row.amount_paid,
        refunded=min(row.amount_refunded, row.amount_paid),
        unpaid=unpaid,
        lasted=until - row.opened_at,
    )


def _fate(row: Any) -> Fate:
    if row.closed_at is None:
        return Fate.OPEN
    return Fate.RECOVERED if row.outcome in PAID and row.paid_at else Fate.LOST


def _outcome(row: Any) -> str:
    if row.closed_at is None:
        return OPEN
    if row.outcome == Outcome.RECOVERED and row.paid_at is None:
        return PASSED_OVER
    return str(row.outcome)


def _cause(row: Any) -> Cause:
    return cause_of(
        Evidence(
            paid_at=row.paid_at,
            acted_at=row.acted_at,
            returned_at=row.returned_at,
            method_at=row.method_at,
            mailed_at=row.mailed_at,
            charged=row.charged,
            counted_at=row.counted_at,
            last_failed_at=row.last_failed_at,
            debit=row.method_type in BANK_DEBIT_METHODS,
        )
    )
