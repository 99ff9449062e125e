"""One case with everything behind it: what `dunning case show` prints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from console.cases import Attempt, CaseFacts, Coming, coming, facts, ledger
from console.told import promises_broken
from console.view import View
from console.words import journal_title, step_title
from db.journal import Entry
from dunning.access import Level, Reason
from dunning.account import Case


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the journal: what happened, about which step or event, and why."""

    at: datetime
    kind: str
    title: str
    about: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """A mail or a call to the team on one channel, and what became of it."""

    step: str
    title: str
    channel: str
    recipient: str | None
    status: str
    reason: str
    created_at: datetime
    accepted_at: datetime | None
    attempts: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """A step that is held back."""

    step: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with its ledger, its timeline, its messages and its plan, and the customer's access now."""

    facts: CaseFacts
    access_level: Level
    access_reason: Reason
    access_until: datetime | None
    promises_broken: str | None
    ledger: tuple[Attempt, ...]
    timeline: tuple[Moment, ...]
    messages: tuple[Message, ...]
    coming: tuple[Coming, ...]
    withheld: tuple[Held, ...]


def case_file(view: View, case: Case) -> CaseFile:
    """Everything about one of the view's cases. Times are the account's."""
    access = view.planned.access
    return CaseFile(
        facts=facts(view, case),
        access_level=access.level,
        access_reason=access.reason,
        access_until=access.until,
        promises_broken=promises_broken(view),
        ledger=tuple(ledger(view, case)),
        timeline=tuple(_moment(entry) for entry in _timeline(view, case)),
        messages=tuple(_messages(view, case)),
        coming=tuple(coming(view, case)),
        withheld=tuple(
            Held(item.key, step_title(item.key), item.reason)
            for item in view.planned.withheld
            if item.case == case.invoice
        ),
    )


def _timeline(view: View, case: Case) -> Iterator[Entry]:
    """What was written down of this case and, since facts and access are the customer's, of no other."""
    opened = False
    for entry in view.journal:
        opened = opened or entry.case == case.invoice
        if entry.case == case.invoice or (opened and entry.case is None):
            yield entry


def _moment(entry: Entry) -> Moment:
    step = entry.data.get("step")
    about = step_title(step) if step else entry.data.get("event")
    reason = entry.reason
    if entry.kind == "access.changed":
        about = f"{entry.data.get('from') or '-'} to {entry.data.get('to')}"
    if entry.kind == "policy.moved":
        about = f"from {entry.data.get('from')} to {entry.data.get('to')}"
    if channel := entry.data.get("channel"):
        about = f"{about}, by {channel}"
    if by := entry.data.get("by"):
        about = ", ".join(filter(None, [about, _terms(entry), f"by {by}"]))
    if entry.kind == "event.applied":
        about, reason = reason, about
    return Moment(entry.at, entry.kind, journal_title(entry.kind), about, reason)


def _terms(entry: Entry) -> str | None:
    """What goes with an instruction: a day, a number of days, a name."""
    data = entry.data
    if until := data.get("until"):
        return f"until {until[:10]}"
    if days := data.get("days"):
        return f"{days:g} days"
    return f"to {data['to']}" if "to" in data and entry.kind.startswith("instruction.") else None


def _messages(view: View, case: Case) -> Iterator[Message]:
    for one in view.sendings:
        if one.case == case.invoice:
            yield Message(
                step=one.step,
                title=step_title(one.step),
                channel=one.channel,
                recipient=one.recipient,
                status=one.status,
                reason=one.reason,
                created_at=one.created_at,
                accepted_at=one.accepted_at,
                attempts=one.attempts,
                last_error=one.last_error,
            )
