"""Failures without an invoice: some billing systems only say which one in a row it was.

A fact of such a failure names its debt after itself, `sub_1@20260601T000018.000000Z#3`: the subscription,
when, and the position in the row. The fold looks for the row it belongs to. A row begins with attempt 1, and
attempts that overtake it wait in a row of their own, which the earlier ones then join: whatever the order, a
row is one debt, named after whichever of its failures was heard of first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dunning.account import Account

_WRITTEN = "%Y%m%dT%H%M%S.%fZ"
_NAME = re.compile(r"(?P<subscription>.+)@(?P<at>\d{8}T\d{6}\.\d{6}Z)#(?P<attempt>\d{1,6})", re.S)


# Nobody lets more time pass between two attempts, and a month later another debt is due.
WITHIN = timedelta(days=21)


@dataclass(frozen=True, slots=True)
class _Failure:
    subscription: str
    at: datetime
    attempt: int


@dataclass(frozen=True, slots=True)
class _Row:
    """`first` is the attempt it is named after: what came before it, by number and time, belongs to it."""

    name: str
    first: int
    began_at: datetime
    last_at: datetime


def unnamed(subscription: str, at: datetime, attempt: int) -> str:
    """What a failure calls its debt, for want of an invoice. `attempt` counts from 1."""
    return f"{subscription}@{at.astimezone(UTC):{_WRITTEN}}#{attempt}"


def placed(account: Account, ref: str) -> str:
    """The invoice, or the row of failures, that a fact's `invoice` means in this account."""
    failure = _read(ref)
    if failure is None or ref in account.invoices:
        return ref
    rows = sorted(_rows(account, failure.subscription), key=lambda row: (row.began_at, row.name))
    before = [row for row in rows if row.began_at <= failure.at][-1:]
    behind = [row for row in rows if row.began_at >= failure.at][:1]
    for row in before:
        if failure.attempt > 1 and not _apart(account, failure, row.last_at, failure.at):
            return row.name
    for row in behind:
        if failure.attempt < row.first and not _apart(account, failure, failure.at, row.began_at):
            return row.name
    return ref


def _rows(account: Account, subscription: str) -> Iterator[_Row]:
    for name, invoice in account.invoices.items():
        known = _read(name)
        if known and known.subscription == subscription:
            began_at = min(known.at, invoice.failed_at or known.at)
            yield _Row(name, known.attempt, began_at, max(known.at, invoice.last_failed_at or known.at))


def _apart(account: Account, failure: _Failure, earlier: datetime, later: datetime) -> bool:
    """Whether two failures are of different rows, whatever their numbers."""
    subscription = account.subscriptions.get(failure.subscription)
    paid_at = subscription.last_paid_at if subscription else None
    return later - earlier > WITHIN or (paid_at is not None and earlier < paid_at <= later)


def _read(ref: str) -> _Failure | None:
    found = _NAME.fullmatch(ref)
    if found is None:
        return None
    try:
        at = datetime.strptime(found["at"], _WRITTEN).replace(tzinfo=UTC)
    except ValueError:
        return None
    return _Failure(found["subscription"], at, int(found["attempt"]))
