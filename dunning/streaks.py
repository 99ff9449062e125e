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
from datetime import UTC, datetime

from dunning.account import Account

_WRITTEN = "%Y%m%dT%H%M%S.%fZ"
_NAME = re.compile(r"(?P<subscription>.+)@(?P<at>\d{8}T\d{6}\.\d{6}Z)#(?P<attempt>\d{1,6})", re.S)


@dataclass(frozen=True, slots=True)
class _Failure:
    subscription: str
    at: datetime
    attempt: int


def unnamed(subscription: str, at: datetime, attempt: int) -> str:
    """What a failure calls its debt, for want of an invoice. `attempt` counts from 1."""
    return f"{subscription}@{at.astimezone(UTC):{_WRITTEN}}#{attempt}"


def placed(account: Account, ref: str) -> str:
    """The invoice, or the row of failures, that a fact's `invoice` means in this account."""
    failure = _read(ref)
    if failure is None or ref in account.invoices:
        return ref
    rows = sorted(_rows(account, failure.subscription))
    before = [(began_at, name) for began_at, _, name in rows if began_at <= failure.at]
    if failure.attempt > 1 and before and not _paid_between(account, failure, before[-1][0], failure.at):
        return before[-1][1]
    behind = [row for row in rows if row[0] >= failure.at][:1]
    for began_at, first, name in behind:
        if first > failure.attempt and not _paid_between(account, failure, failure.at, began_at):
            return name
    return ref


def _rows(account: Account, subscription: str) -> Iterator[tuple[datetime, int, str]]:
    """When each row of a subscription began, as far as is known, and the attempt that it is named after."""
    for name, invoice in account.invoices.items():
        known = _read(name)
        if known and known.subscription == subscription:
            yield min(known.at, invoice.failed_at or known.at), known.attempt, name


def _paid_between(account: Account, failure: _Failure, after: datetime, until: datetime) -> bool:
    subscription = account.subscriptions.get(failure.subscription)
    paid_at = subscription.last_paid_at if subscription else None
    return paid_at is not None and after < paid_at <= until


def _read(ref: str) -> _Failure | None:
    found = _NAME.fullmatch(ref)
    if found is None:
        return None
    try:
        at = datetime.strptime(found["at"], _WRITTEN).replace(tzinfo=UTC)
    except ValueError:
        return None
    return _Failure(found["subscription"], at, int(found["attempt"]))
