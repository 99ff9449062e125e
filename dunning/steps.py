"""What a plan is made of: steps with a due time, a unique key and a reason, and steps withheld."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from dunning.access import Access
from dunning.fold import earliest
from dunning.results import CAME_TO_NOTHING, RETURNED, Result, weightier
from dunning.values import lean, quick

# The mail that customers ask for on their page: see `dunning.rules.requested`.
FRESH_LINK = "fresh_link"
# Those that follow when somebody else is named as the one who pays: see `dunning.payer`.
PAYER_CONFIRMATION = "payer_confirmation"
PAYER_LINK = "payer_link"
# The newest mail of a case once more, because somebody of the team wants it so.
RESENT = "resent"
ON_REQUEST = frozenset({FRESH_LINK, PAYER_CONFIRMATION, PAYER_LINK, RESENT})
# Charges that customers ask for there, of what is on file or of what they have just given: see
# `dunning.rules.paying_now`. NEW_METHOD is the same by the policy, when an event tells of a new method.
ASKED = "asked"
ASKED_ANEW = "asked_anew"
NEW_METHOD = "new_method"
# What access waits for: that the customer was warned, and that a person has seen the call before it ends.
FINAL_WARNING, LAST_CALL = "final_warning", "last_call"
# Ends the key of a mail that is said once more, since it came back: `payment_failed:in_1:2~2`.
AGAIN = "~"


@quick
class Kind(StrEnum):
    """Who is reached: the customer by mail, the merchant's team, the entitlement itself, or the provider,
    which is to charge once more or to end what nobody pays for.
    """

    MAIL = "mail"
    TEAM = "team"
    ACCESS = "access"
    RETRY = "retry"
    END = "end"


@lean
@dataclass(frozen=True, slots=True)
class Step:
    """Something to do once, at or after `due_at`. `key` says what it is for ever: it is the idempotency key.

    `name` is the mail ("payment_failed"), the team's alarm ("attempts"), the access level or the action.
    `case` is the case's invoice, or the subscription of a renewal to come. `reason` is a sentence for the
    person who asks why. `wanted_at` is when it would be due if it had not to wait for waking hours.
    """

    kind: Kind
    key: str
    name: str
    case: str
    due_at: datetime
    reason: str
    wanted_at: datetime | None = None

    def moved(self, due_at: datetime, wanted_at: datetime | None, reason: str | None = None) -> Step:
        """The same step at another time. Steps are moved so often that `dataclasses.replace` is too slow."""
        return Step(self.kind, self.key, self.name, self.case, due_at, reason or self.reason, wanted_at)


@lean
@dataclass(frozen=True, slots=True)
class Withheld:
    """A step that was considered and is not taken, with the reason why not."""

    key: str
    case: str
    reason: str


@lean
@dataclass(frozen=True, slots=True)
class Effect:
    """What became of a step that was taken. Times are the account's (wall or test clock), UTC.

    `status`: pending, sending, sent (accepted by the mail server), suppressed, failed, unknown. Of a mail
    `recipient` is the address it was sent to; what its service has said since is `delivered_at`, the earliest
    time, and `undone`, in which way it came to nothing.
    """

    key: str
    kind: Kind
    name: str
    case: str
    status: str
    created_at: datetime
    accepted_at: datetime | None = None
    recipient: str | None = None
    delivered_at: datetime | None = None
    undone: Result | None = None

    @property
    def reached_somebody(self) -> bool:
        """Whether a mail went out, is going out, or may have gone out, and was read or may have been."""
        gone = self.status in ("pending", "sending", "sent", "unknown")
        return gone and self.undone in (None, Result.COMPLAINT)

    @property
    def returned(self) -> bool:
        """Whether a mail came back, so that nothing more is sent to its address."""
        return self.undone in RETURNED

    @property
    def arrived_at(self) -> datetime | None:
        """When a server took the mail, if it has not come to nothing since; None: nobody knows of one."""
        return None if self.undone else self.accepted_at or self.delivered_at

    def after(self, result: Result, at: datetime) -> Effect:
        """The mail once this is known of it too. Results commute, and the same one twice is one."""
        if result is Result.DELIVERED:
            return replace(self, delivered_at=earliest(self.delivered_at, at))
        if result in CAME_TO_NOTHING:
            return replace(self, undone=weightier(self.undone, result))
        return self

    @property
    def is_under_way(self) -> bool:
        return self.status in ("pending", "sending")


History = Mapping[str, Effect]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything still to be done for an account, in order, and everything that is not and why."""

    steps: tuple[Step, ...]
    withheld: tuple[Withheld, ...]
    access: Access

    def due(self, now: datetime) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.due_at <= now)

    def next_due(self, case: str) -> datetime | None:
        """When this case (or renewal) wants attention next, or None when nothing is planned for it."""
        return min((step.due_at for step in self.steps if step.case == case), default=None)


def first_key(key: str) -> str:
    """The key under which this was said for the first time."""
    return key.partition(AGAIN)[0]


def hours(span: timedelta) -> int:
    return round(span.total_seconds() / 3600)
