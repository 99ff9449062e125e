"""The stages of access, by our own clock: with a banner, limited, ended; and what follows at the provider."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from dunning.case import why_kept
from dunning.deadline import in_working_hours, taken_at
from dunning.policy import WARNED_BEFORE
from dunning.rules.context import Context
from dunning.rules.rule import CHARGES, TOLD, WARNED, reads
from dunning.rules.warnings import all_warnings_tried
from dunning.steps import FINAL_WARNING, LAST_CALL, Kind, Step, Withheld

# A bank debit is decided within two weeks; one that is not has been forgotten by somebody.
LONGEST_DEBIT = timedelta(days=14)


@reads(TOLD, WARNED, Kind.ACCESS)
def restriction(c: Context) -> Iterator[Step | Withheld]:
    """Access is limited some days before it ends, if the customer has known of it for three days."""
    key = f"restriction:{c.ref}"
    if c.policy.limited_after is None or c.policy.at_expiry == "limited" or limited(c):
        return
    excuse = why_kept(c.s)
    if excuse:
        yield c.withhold(key, excuse)
        return
    if not c.told_at:
        yield c.withhold(key, "the customer has not been told of the failure yet")
    elif wanted := limited_from(c):
        reason = "the payment has been open for too long: access is limited before it ends"
        yield Step(Kind.ACCESS, key, "limited", c.ref, _after_processing(c, wanted), reason)


def limited(c: Context) -> bool:
    """Whether it is limited already, and nobody has granted more time since."""
    at, moved_at = c.s.case.limited_at, c.said.moved_at
    return at is not None and (moved_at is None or moved_at <= at)


def limited_from(c: Context) -> datetime | None:
    """When access is limited, as it has to be told now; None where it is not, before it ends."""
    after = c.policy.limited_after
    if after is None or c.policy.at_expiry == "limited":
        return None
    wanted = c.s.case.opened_at + after + c.said.extension
    if c.s.case.first_contact_at:
        # As long before the end as for everybody else.
        wanted += max(timedelta(0), c.s.case.grace - c.policy.grace)
    told_at = c.told_at or c.now_or(wanted - WARNED_BEFORE)
    wanted = max(wanted, told_at + WARNED_BEFORE)
    at = in_working_hours(max(wanted, c.said.pushed_to) if c.said.pushed_to else wanted, c.policy)
    return at if at < c.ends_at else None


@reads(WARNED, LAST_CALL, CHARGES)
def expiry(c: Context) -> Iterator[Step | Withheld]:
    """Access ends on schedule, if somebody was warned in time. The caller asks the provider first."""
    key = f"access:{c.ref}:{c.policy.at_expiry}"
    excuse = why_kept(c.s) or _why_unseen(c)
    if excuse:
        yield c.withhold(key, excuse)
    elif c.warned_at:
        due_at = _after_processing(c, taken_at(c.s, c.ends_at, c.policy))
        yield Step(Kind.ACCESS, key, c.policy.at_expiry, c.ref, due_at, "grace ended without a payment")
    else:
        yield c.withhold(key, _why_unwarned(c))
        if all_warnings_tried(c):
            yield c.team(
                "unwarned",
                c.s.case.grace_ends_at,
                "no final warning reached the customer: access is kept until a person decides",
            )


def _why_unwarned(c: Context) -> str:
    if any(each.name == FINAL_WARNING and c.unheard(each) for each in c.done.values()):
        return "the final warning came back: access is kept until another is accepted, or a person decides"
    return "no final warning has been accepted by the customer's mail server yet"


def _after_processing(c: Context, due_at: datetime) -> datetime:
    """A payment that is on its way has not failed."""
    begun = c.s.invoice.processing_since
    return max(due_at, in_working_hours(begun + LONGEST_DEBIT, c.policy)) if begun else due_at


def _why_unseen(c: Context) -> str | None:
    """The last call before a valuable customer loses access must have been seen by somebody."""
    if not awaits_acknowledgement(c):
        return None
    return "a person has to acknowledge the last call first: this is a valuable customer"


def awaits_acknowledgement(c: Context) -> bool:
    """Whether the end of access waits for a person who has seen the call of three days before."""
    if not (c.high_value and c.policy.acknowledge_high_value and c.policy.last_call):
        return False
    call = c.history.get(f"escalation:{c.ref}:{LAST_CALL}")
    seen = c.said.acknowledged_at
    return call is None or seen is None or seen < call.created_at


@reads(Kind.ACCESS)
def end_action(c: Context) -> Iterator[Step | Withheld]:
    """What the policy wants done at the provider once our own grace has ended."""
    action, taken = c.policy.end_action, c.s.case.taken_at
    if action == "none" or taken is None:
        return
    key = f"end:{c.ref}:{action}"
    if c.s.subscription.ended or c.s.subscription.stopped_for_nonpayment:
        yield c.withhold(key, "the provider has stopped the subscription itself")
    else:
        yield Step(Kind.END, key, action, c.ref, taken, "grace ended without a payment")
