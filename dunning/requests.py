"""What somebody asks for, as an instruction; and what is said to whoever asks in vain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from dunning.instructions import Instruction, Verb


class Code(StrEnum):
    """Kinds of refusals, for programs: what is so already needs nothing, and a closed case never will."""

    REFUSED = "refused"
    ALREADY_SO = "already_so"
    CASE_CLOSED = "case_closed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """`text` is a sentence with its cure."""

    text: str
    code: Code = Code.REFUSED


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for, in their terms: `until` is a day that counts to its end, or `span` from now."""

    verb: Verb
    by: str
    why: str
    case: str | None = None
    until: date | None = None
    span: timedelta | None = None
    to: str | None = None


def as_instruction(request: Request, zone: tzinfo, now: datetime) -> Instruction:
    """The request at `now`, the account's time; days end in `zone`, the merchant's."""
    until = end_of_day(request.until, zone) if request.until else None
    if until is None and request.span and request.verb in (Verb.PAUSE, Verb.PROMISE):
        until = end_of_day((now + request.span).astimezone(zone).date(), zone)
    return Instruction(
        verb=request.verb,
        at=now,
        by=request.by.strip(),
        why=request.why.strip().rstrip("."),
        case=request.case,
        until=until,
        span=request.span if request.verb is Verb.EXTEND else None,
        to=(request.to or "").strip() or None,
    )


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """The last second of a day, UTC: it is still that day for whoever prints it in `zone`."""
    return datetime.combine(day, time(23, 59, 59), zone).astimezone(UTC)
