"""When too much happens at once to be true: the breaker, and the caps on revocations.

An outage at the payment provider, or a mistake of ours, looks like a wave of customers who stopped paying.
Mails cannot be taken back and a locked door costs trust, so beyond these limits a person decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from pydantic import BaseModel, ConfigDict, Field

from dunning.steps import ASKED, ASKED_ANEW, ON_REQUEST, RESENT, Kind, Step

# What is still sent while the breaker is tripped: whoever has paid may hear so, and who asks gets an answer.
RECEIPTS = frozenset({"payment_recovered", ASKED, ASKED_ANEW}) | (ON_REQUEST - {RESENT})

# The usual hour is the mean of the seven days before the last one.
HOURS = 7 * 24


class Limits(BaseModel):
    """How much may happen in an hour or a day before it needs a person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    surge_floor: int = Field(
        default=20,
        ge=1,
        description="So many failed charges in an hour are no surge yet, and fewer are not judged at all.",
    )
    surge_factor: float = Field(
        default=4.0, ge=1, description="More failures than this many times the usual hour are a surge."
    )
    processing_error_share: float = Field(
        default=0.30,
        gt=0,
        le=1,
        description="A larger share of processing errors among the failures of an hour is an outage.",
    )
    revocations_per_hour: int = Field(
        default=25, ge=0, description="Revocations in any hour at most; 0: no cap, by the hour or the day."
    )
    revocations_per_day_share: float = Field(
        default=0.02,
        gt=0,
        le=1,
        description="Revocations in any day at most, as a share of the customers with access; "
        "never fewer than an hour's.",
    )


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed charges of the last hour, and of an hour as usual."""

    hour: int = 0
    processing_errors: int = 0
    usual: float = 0.0


@dataclass(frozen=True, slots=True)
class Revocations:
    """How often access was taken in the last hour and day; `base` is how many customers still have some."""

    hour: int = 0
    day: int = 0
    base: int = 0


def surge(failures: Failures, limits: Limits) -> str | None:
    """Why this hour is out of the ordinary, in a sentence, or None."""
    allowed = max(float(limits.surge_floor), limits.surge_factor * failures.usual)
    if failures.hour > allowed:
        return f"{failures.hour} charges failed within an hour, where {allowed:.0f} are let pass"
    share = limits.processing_error_share
    if failures.hour >= limits.surge_floor and failures.processing_errors > share * failures.hour:
        return (
            f"{failures.processing_errors} of the {failures.hour} charges that failed within an hour "
            f"were processing errors, where {share:.0%} are let pass"
        )
    return None


def revocations_left(revoked: Revocations, limits: Limits) -> int | None:
    """How many customers may lose access now; None: as many as are due."""
    if not limits.revocations_per_hour:
        return None
    left = limits.revocations_per_hour - revoked.hour, _per_day(revoked, limits) - revoked.day
    return max(0, min(left))


def cap_reached(revoked: Revocations, limits: Limits) -> str:
    """Which cap keeps the next customer's access for now, in a sentence."""
    hour, day = limits.revocations_per_hour, _per_day(revoked, limits)
    by_day = day - revoked.day < hour - revoked.hour
    cap = f"{day} revocations a day" if by_day else f"{hour} revocations an hour"
    return f"the cap of {cap} is reached: access is kept for now"


def enough_week(hour: int, limits: Limits) -> int:
    """After so many failures in the week before, an hour with `hour` of them is as usual."""
    return 0 if hour <= limits.surge_floor else ceil(hour * HOURS / limits.surge_factor) + 1


def enough_base(day: int, wanted: int, limits: Limits) -> int:
    """With so many customers so many more may go, as far as the day is concerned; more change nothing.

    A day has room for an hour's worth whoever is left: while that is enough, nobody needs to be counted.
    """
    hourly = limits.revocations_per_hour
    return 0 if hourly - day >= wanted else ceil((day + hourly + 1) / limits.revocations_per_day_share)


def _per_day(revoked: Revocations, limits: Limits) -> int:
    """A share of those who had access when the day began: it does not shrink with each revocation."""
    share = limits.revocations_per_day_share * (revoked.base + revoked.day)
    return max(limits.revocations_per_hour, int(share))


def held_back(step: Step) -> bool:
    """Whether a tripped breaker holds this back: all that customers would feel, but no receipt."""
    return holds(step.kind, step.name)


def holds(kind: Kind, name: str) -> bool:
    """The same of an effect that was decided already. The merchant's own team is always told."""
    return kind is not Kind.TEAM and name not in RECEIPTS
