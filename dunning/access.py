"""access(account, ...) -> Access: may this customer use the product, and why?

Read from local facts only. Access is per subscription; the customer has the best of theirs, so one
failed subscription among several locks nobody out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dunning.account import Account, Case, Outcome, Subscription
from dunning.standing import standing
from dunning.values import quick


@quick
class Level(StrEnum):
    """From everything to nothing. `warned` is full access with a banner."""

    FULL = "full"
    WARNED = "warned"
    LIMITED = "limited"
    REVOKED = "revoked"


ORDER = (Level.FULL, Level.WARNED, Level.LIMITED, Level.REVOKED)


class Reason(StrEnum):
    """Why the level is what it is, in words for machines."""

    GOOD_STANDING = "good_standing"
    TRIAL = "trial"
    CANCELS_AT_PERIOD_END = "cancels_at_period_end"
    PAYMENT_FAILED = "payment_failed"
    PAST_DUE = "past_due"
    GRACE_EXPIRED = "grace_expired"
    UNPAID = "unpaid"
    WRITTEN_OFF = "written_off"
    CANCELED = "canceled"
    CANCELED_FOR_NONPAYMENT = "canceled_for_nonpayment"
    PAUSED = "paused"
    PAUSED_FOR_NONPAYMENT = "paused_for_nonpayment"
    FIRST_PAYMENT_INCOMPLETE = "first_payment_incomplete"
    CUSTOMER_DELETED = "customer_deleted"
    NO_SUBSCRIPTION = "no_subscription"
    UNKNOWN_STATUS = "unknown_status"


@dataclass(frozen=True, slots=True)
class Access:
    """`until` is when this level ends by itself: the grace deadline or a planned period end (UTC)."""

    level: Level
    reason: Reason
    until: datetime | None = None
    subscription: str | None = None


def access_of(account: Account, deadlines: Mapping[str, datetime | None]) -> Access:
    """The best access any subscription gives.

    `deadlines`: invoice of an open case -> when grace ends, or None where nobody will take access for it.
    """
    if account.customer.deleted:
        return Access(Level.REVOKED, Reason.CUSTOMER_DELETED)
    each = [subscription_access(account, subscription, deadlines) for subscription in _newest_first(account)]
    return min(
        each,
        key=lambda access: ORDER.index(access.level),
        default=Access(Level.REVOKED, Reason.NO_SUBSCRIPTION),
    )


def _newest_first(account: Account) -> list[Subscription]:
    def newest(subscription: Subscription) -> tuple[float, str]:
        return (-subscription.as_of.at.timestamp() if subscription.as_of else 0.0, subscription.ref)

    return sorted(account.subscriptions.values(), key=newest)


def subscription_access(
    account: Account, subscription: Subscription, deadlines: Mapping[str, datetime | None]
) -> Access:
    """What this one subscription gives."""
    cases = [case for case in account.cases.values() if case.subscription == subscription.ref]
    stopped = _stopped(subscription, cases)
    if stopped:
        return Access(Level.REVOKED, stopped, None, subscription.ref)
    taken = [case for case in cases if still_taken(case, subscription)]
    if taken:
        worst = max(taken, key=lambda case: ORDER.index(Level(case.taken_level or Level.REVOKED)))
        reason = Reason.WRITTEN_OFF if worst.outcome is Outcome.WRITTEN_OFF else Reason.GRACE_EXPIRED
        return Access(Level(worst.taken_level or Level.REVOKED), reason, None, subscription.ref)
    limited = any(_still_limited(account, case, subscription) for case in cases)
    failing = [deadlines[case.invoice] for case in cases if case.is_open and case.invoice in deadlines]
    if failing:
        # Who has cancelled keeps it to the end of the period at most.
        ends = [subscription.period_end] if subscription.cancel_at_period_end else []
        until = min(filter(None, (*failing, *ends)), default=None)
        level = Level.LIMITED if limited else Level.WARNED
        return Access(level, Reason.PAYMENT_FAILED, until, subscription.ref)
    if limited:
        return Access(Level.LIMITED, Reason.WRITTEN_OFF, None, subscription.ref)
    return _in_good_standing(subscription)


def _stopped(subscription: Subscription, cases: Sequence[Case]) -> Reason | None:
    """Why the provider itself gives nothing for this subscription any more."""
    if subscription.status == "canceled":
        failed = subscription.ended_for == "payment_failed"
        return Reason.CANCELED_FOR_NONPAYMENT if failed else Reason.CANCELED
    # An incomplete one waits for its first payment: who has paid need not wait for the next event as well.
    unpaid = subscription.last_paid_at is None
    if subscription.status == "incomplete_expired" or (subscription.status == "incomplete" and unpaid):
        return Reason.FIRST_PAYMENT_INCOMPLETE
    if subscription.status == "unpaid":
        return Reason.UNPAID
    if subscription.status == "paused":
        return Reason.PAUSED_FOR_NONPAYMENT if subscription.stopped_for_nonpayment else Reason.PAUSED
    # `active` again without a payment: somebody wrote the debt off, which gives nothing back.
    return Reason.WRITTEN_OFF if subscription.owes_since_stop and not _forgiven(subscription, cases) else None


def _forgiven(subscription: Subscription, cases: Sequence[Case]) -> bool:
    """Whether a person has dropped every debt since the last payment that was given up."""
    since = [
        case.outcome
        for case in cases
        if subscription.last_paid_at is None or case.opened_at > subscription.last_paid_at
    ]
    given_up = {Outcome.WRITTEN_OFF, Outcome.VOIDED, Outcome.ENDED}
    return Outcome.FORGIVEN in since and given_up.isdisjoint(since)


def still_taken(case: Case, subscription: Subscription) -> bool:
    """Whether what was taken in this case has not been earned back by a payment since.

    While the case is open, money for another invoice of the subscription earns nothing back.
    """
    return _not_earned_back(case, case.taken_at, subscription)


def _still_limited(account: Account, case: Case, subscription: Subscription) -> bool:
    """The same of the limit that came before the end of grace; more time granted since lifts it."""
    if case.is_open and case.limited_at:
        moved_at = standing(account, case).moved_at
        return moved_at is None or moved_at <= case.limited_at
    return _not_earned_back(case, case.limited_at, subscription)


def _not_earned_back(case: Case, since: datetime | None, subscription: Subscription) -> bool:
    if since is None or case.outcome in (Outcome.RECOVERED, Outcome.FORGIVEN):
        return False
    if case.is_open:
        return True
    return subscription.last_paid_at is None or subscription.last_paid_at < since


def _in_good_standing(subscription: Subscription) -> Access:
    ref = subscription.ref
    if subscription.status == "past_due":
        return Access(Level.WARNED, Reason.PAST_DUE, None, ref)
    if subscription.status not in ("active", "trialing", "incomplete"):
        # A status nobody here knows must not lock out somebody who pays.
        return Access(Level.FULL, Reason.UNKNOWN_STATUS, None, ref)
    if subscription.cancel_at_period_end:
        return Access(Level.FULL, Reason.CANCELS_AT_PERIOD_END, subscription.period_end, ref)
    trial = subscription.status == "trialing"
    return Access(Level.FULL, Reason.TRIAL if trial else Reason.GOOD_STANDING, None, ref)
