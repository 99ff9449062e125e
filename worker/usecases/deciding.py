"""What is due for a settled account at `now`, and all that has to be written for it, with its reasons."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db import outbox
from db.accounts import Loaded
from db.changes import Change
from db.journal import Entry
from db.outbox import NewEffect
from db.restores import MAYBE_SENT
from dunning.access import Access, Reason
from dunning.account import Account, Case
from dunning.breaker import held_back
from dunning.plan import Outlook, plan
from dunning.reach import recipient
from dunning.receipts import given_back
from dunning.segments import PolicySource
from dunning.steps import Effect, Kind, Plan, Step
from dunning.taking import take_due
from dunning.values import lean
from emails.reference import mail_key, reference
from tracing import spans
from worker.usecases.holding import Switch, next_look

log = structlog.get_logger()

VERBS = {
    Kind.MAIL: "mail.decided",
    Kind.TEAM: "team.called",
    Kind.ACCESS: "access.taken",
    Kind.RETRY: "retry.decided",
    Kind.END: "end.decided",
}


@lean
@dataclass(frozen=True, slots=True)
class Decision:
    """What has to be written for one account. `access` is its new row, where that differs.

    `unverified`: access is due to be taken, but nobody has asked the provider yet.
    """

    change: Change
    effects: tuple[NewEffect, ...]
    entries: tuple[Entry, ...]
    access: dict[str, Any] | None
    unverified: bool

    @property
    def taken(self) -> int:
        """How many cases lose their access by it."""
        return sum(entry.kind == VERBS[Kind.ACCESS] for entry in self.entries)

    def and_then(self, entries: Iterable[Entry]) -> Decision:
        """The same, with more to be said in the journal after it."""
        return replace(self, entries=(*self.entries, *entries))


async def decide(
    connection: AsyncConnection,
    loaded: Loaded,
    after: Account,
    *,
    switch: Switch,
    policy: PolicySource,
    team_channels: tuple[str, ...],
    now: datetime,
    verified: Collection[str] = (),
    taking: bool = True,
    outlook: Outlook | None = None,
) -> Decision:
    """Decide all that is due for one locked account, and when it is due next.

    `switch` is the breaker, which those who are decided together share. `verified` are the cases whose
    invoice and subscription the provider confirmed a moment ago: only their access is taken. Without
    `taking`, what is due stays due and is left to a worker. `outlook` is the one of `after` and the history
    as it was loaded, where somebody has looked already. The caller holds the account's row lock. The
    database is touched only where a case is closed, whose mails are dropped, and where something is due
    that a breaker may hold back, or that a database which is lost may have done.
    """
    entries = _changes_of_cases(loaded, after, now)
    history, dropped = await _suppress(connection, loaded, after, now)
    steps: list[Step] = []
    hold = False
    if taking:
        before = after
        looked = None if dropped else outlook
        after, planned, steps = take_due_steps(before, history, policy, now, verified, outlook=looked)
        if await switch.must_hold(steps):
            hold = True
            after, planned, steps = take_due_steps(before, history, policy, now, verified, hold=True)
    else:
        planned = plan(after, history, policy, now)
    entries += [*dropped, *(_entry(loaded.id, step, now) for step in steps)]
    # Test clocks have no part in what was lost by the wall clock.
    doubtful = await switch.maybe_done(steps) if loaded.clock is None else []
    entries += [_doubt(loaded.id, step, now) for step in doubtful]
    # By a test clock, "in a few minutes" may be never.
    put_off = hold and loaded.clock is None
    due = {ref: next_look(planned, ref, now, put_off=put_off) for ref in (*after.cases, *after.subscriptions)}
    # What was planned took them for sent.
    due |= {step.case: now for step in doubtful if step.case in after.cases}
    access, changed = _access(loaded, planned.access, now)
    # What somebody has of whom nothing was known is no news.
    if steps or (changed and loaded.access is not None):
        log.info(
            "account.decided",
            customer=loaded.id,
            steps=" ".join(step.key for step in steps),
            access=planned.access.level.value,
            reason=planned.access.reason.value,
        )
    return Decision(
        change=Change(loaded, after, due),
        effects=tuple(
            _maybe_done(row, step, after, history) if step in doubtful else row
            for step in steps
            for row in _effects(loaded.id, step, team_channels, now)
        ),
        entries=(*entries, *changed),
        access=access,
        unverified=any(step.kind is Kind.ACCESS for step in planned.due(now)),
    )


def take_due_steps(
    account: Account,
    history: Mapping[str, Effect],
    policy: PolicySource,
    now: datetime,
    verified: Collection[str],
    *,
    hold: bool = False,
    outlook: Outlook | None = None,
) -> tuple[Account, Plan, list[Step]]:
    """Take what is due: access only of `verified` cases, and with `hold` only what no breaker holds back.

    `outlook` is as for `take_due`.
    """

    def allowed(_: Account, step: Step) -> bool:
        return not (hold and held_back(step)) and (step.kind is not Kind.ACCESS or step.case in verified)

    moment = take_due(account, dict(history), policy, now, allowed, outlook=outlook)
    return moment.account, moment.plan, list(moment.taken)


def _effects(customer_id: int, step: Step, team_channels: tuple[str, ...], now: datetime) -> list[NewEffect]:
    """The outbox rows of a step: one a channel. A team nobody can reach leaves a row that says so."""
    if step.kind is Kind.ACCESS:
        return []
    channels: tuple[str, ...] = team_channels or ("none",)
    if step.kind is not Kind.TEAM:
        channels = ("mail" if step.kind is Kind.MAIL else "provider",)
    return [
        NewEffect(
            customer_id=customer_id,
            case=step.case,
            step=step.key,
            kind=step.kind,
            name=step.name,
            channel=channel,
            reason=step.reason,
            created_at=now,
            status="suppressed" if channel == "none" else "pending",
            last_error="no team address or chat is configured" if channel == "none" else None,
            trace=spans.current(),
        )
        for channel in channels
    ]


def _maybe_done(effect: NewEffect, step: Step, account: Account, history: Mapping[str, Effect]) -> NewEffect:
    """The same as of when it was due, with the mark by which a mail service may still speak of it."""
    return replace(
        effect,
        status="unknown",
        last_error=MAYBE_SENT,
        created_at=step.wanted_at or step.due_at,
        recipient=recipient(account, history, step.case, step.name) if step.kind is Kind.MAIL else None,
        reference=reference(mail_key(account.source, step.key)) if step.kind is Kind.MAIL else None,
    )


def _doubt(customer_id: int, step: Step, now: datetime) -> Entry:
    return Entry(customer_id, now, f"{step.kind.value}.unknown", MAYBE_SENT, step.case, {"step": step.key})


def _entry(customer_id: int, step: Step, now: datetime) -> Entry:
    data = {"step": step.key, "name": step.name}
    return Entry(customer_id, now, VERBS[step.kind], step.reason, step.case, data)


def _changes_of_cases(loaded: Loaded, after: Account, now: datetime) -> list[Entry]:
    entries = []
    for ref, case in after.cases.items():
        before = loaded.account.cases.get(ref)
        if before is None:
            why = OPENED_BY[_cause(after, ref)]
            entries.append(Entry(loaded.id, case.opened_at, "case.opened", why, ref, _opening(after, case)))
            log.info("case.opened", customer=loaded.id, case=ref)
        if case.outcome and (before is None or before.outcome != case.outcome):
            at = case.closed_at or now
            entries.append(Entry(loaded.id, at, "case.closed", case.outcome.value, ref))
            log.info("case.closed", customer=loaded.id, case=ref, outcome=case.outcome.value)
        if redeemed := given_back(before, case):
            data = {name: value for name, value in asdict(redeemed).items() if value is not None}
            told = {name: str(value) for name, value in data.items()}
            entries.append(Entry(loaded.id, case.closed_at or now, "access.returned", None, ref, told))
        if before and before.outcome and case.outcome is None:
            why = "a newer fact says it is unpaid"
            entries.append(Entry(loaded.id, now, "case.reopened", why, ref, _opening(after, case)))
    return entries


OPENED_BY = {"first_payment": "a first payment failed", "renewal": "a renewal failed"}


def _cause(account: Account, invoice: str) -> str:
    first = account.invoices[invoice].billing_reason == "subscription_create"
    return "first_payment" if first else "renewal"


def _opening(account: Account, case: Case) -> dict[str, Any]:
    return {
        "subscription": case.subscription,
        "grace_ends_at": case.grace_ends_at.isoformat(),
        "cause": _cause(account, case.invoice),
    }


async def _suppress(
    connection: AsyncConnection, loaded: Loaded, after: Account, now: datetime
) -> tuple[dict[str, Effect], list[Entry]]:
    """A case that has just closed wants none of the mails decided before; the history then says so."""
    closed = [
        ref
        for ref, case in after.cases.items()
        if not case.is_open and ref in loaded.account.cases and loaded.account.cases[ref].is_open
    ]
    why = "the case was closed before it was sent"
    dropped = await outbox.suppress(connection, loaded.id, closed, why)
    history = dict(loaded.history)
    entries = []
    for step in dropped:
        effect = history[step] = replace(history[step], status="suppressed")
        entries.append(Entry(loaded.id, now, "mail.suppressed", why, effect.case, {"step": step}))
    return history, entries


def _access(loaded: Loaded, current: Access, now: datetime) -> tuple[dict[str, Any] | None, list[Entry]]:
    """The new row, where it differs from the one that was loaded, and the journal's entry of a new level."""
    row = loaded.access
    if row is None and current.reason is Reason.NO_SUBSCRIPTION:
        # They have not subscribed yet, or did before we were set up: nothing is decided about them.
        return None, []
    values = {
        "level": current.level.value,
        "reason": current.reason.value,
        "until": current.until,
        "subscription": current.subscription,
    }
    if row is not None and all(row[name] == value for name, value in values.items()):
        return None, []
    before = row["level"] if row is not None else None
    same_level = before == current.level.value
    changed_at = row["changed_at"] if row is not None and same_level else now
    new = values | {"customer_id": loaded.id, "changed_at": changed_at}
    if same_level:
        return new, []
    data = {
        "from": before,
        "to": current.level.value,
        "until": current.until and current.until.isoformat(),
        "subscription": current.subscription,
    }
    return new, [Entry(loaded.id, now, "access.changed", current.reason.value, None, data)]
