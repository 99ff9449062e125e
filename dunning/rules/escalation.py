"""When a person is called: each level once, and again while nobody has seen it."""

from __future__ import annotations

from collections.abc import Iterator

from dunning.case import why_kept
from dunning.declines import Category
from dunning.durations import in_words
from dunning.fold import latest
from dunning.hours import working_days_after
from dunning.results import Result
from dunning.rules.context import Context
from dunning.rules.expiry import awaits_acknowledgement
from dunning.rules.rule import CHARGES, WARNED, reads
from dunning.standing import PROMISE_SLACK
from dunning.steps import LAST_CALL, Effect, Kind, Step, Withheld


# What has failed is no step that is taken: it was one before.
@reads(Kind.RETRY, CHARGES)
def escalation(c: Context) -> Iterator[Step | Withheld]:
    """Charges keep failing, or mails cannot help."""
    executed, needed = c.failed_attempts, c.policy.escalate_after
    if executed >= needed:
        yield c.late_team(
            "attempts", c.failed_at, "a charge has failed" if needed == 1 else f"{needed} charges have failed"
        )
    elif c.s.invoice.attempt_count >= needed:
        yield c.withhold(
            f"escalation:{c.ref}:attempts",
            f"{c.s.invoice.attempt_count} attempts were counted but only {executed} were really made",
        )
    mails = [e for e in c.done.values() if e.kind is Kind.MAIL]
    failed = [e for e in mails if e.status == "failed" or e.undone is Result.UNDELIVERED]
    if failed:
        yield c.team("undeliverable", failed[0].created_at, "a mail to the customer could not be delivered")
    if c.s.decline.category in CALLED_AT_ONCE:
        name, reason = CALLED_AT_ONCE[c.s.decline.category]
        yield c.team(name, c.from_contact(c.s.failed_at), reason)
    yield from unanswered(c)


def unanswered(c: Context) -> Iterator[Step]:
    """Something that we wanted done at the provider failed, or nobody knows whether it was done."""
    for effect in c.done.values():
        if effect.status not in ("failed", "unknown") or _has_come_about(c, effect):
            continue
        if effect.kind is Kind.END:
            reason = f"the provider was to {ENDS[effect.name]}, and did not confirm it"
            yield c.team("end_unconfirmed", effect.created_at, reason)
        elif effect.kind is Kind.RETRY:
            number = effect.key.partition(f"{c.ref}:")[2]
            reason = "a charge of our own may have been made, and the provider did not say what came of it"
            yield c.team(f"charge_unconfirmed:{number}", effect.created_at, reason)


ENDS = {
    "cancel": "cancel the subscription",
    "unpaid": "charge the subscription no more",
    "pause": "pause the subscription",
}


def _has_come_about(c: Context, effect: Effect) -> bool:
    """Whether the facts say that what we asked for was done all the same."""
    if effect.kind is Kind.RETRY:
        return any(charge.at >= effect.created_at for charge in c.s.charges)
    subscription = c.s.subscription
    paused = effect.name == "pause" and subscription.status == "paused"
    return paused or subscription.ended or subscription.stopped_for_nonpayment


CALLED_AT_ONCE = {
    Category.MERCHANT_SIDE: ("merchant_side", "the decline points to our own configuration"),
    Category.CONSENT_WITHDRAWN: ("consent_withdrawn", "the customer told their bank to stop this payment"),
    Category.FRAUD: ("fraud", "the bank calls it fraud, or our own list blocks it: a person decides"),
}


@reads(WARNED)
def levels(c: Context) -> Iterator[Step | Withheld]:
    """Value and time: what a person should look at although no rule is at its end yet."""
    opened, policy = c.s.case.opened_at, c.policy
    if c.high_value:
        yield c.team(
            "high_value", c.from_contact(opened), "the first charge of a valuable invoice has failed"
        )
    if policy.blocked_after and not c.s.decline.retried_by_stripe:
        reason = f"unresolved for {in_words(policy.blocked_after)}, and the provider makes no further attempt"
        yield c.late_team("blocked", opened + policy.blocked_after, reason)
    if policy.unresolved_after:
        reason = f"unresolved for {in_words(policy.unresolved_after)}"
        yield c.late_team("unresolved", opened + policy.unresolved_after, reason)
    if c.said.promise and c.said.promise.until:
        due_at = c.said.promise.until + PROMISE_SLACK
        name = f"promise_broken:{c.said.promise.until.astimezone(c.policy.zone):%Y-%m-%d}"
        yield c.team(name, due_at, "the customer promised to pay and did not")
    if policy.last_call and why_kept(c.s) is None:
        due_at = max(opened, c.ends_at - policy.last_call)
        reason = f"access ends in {in_words(policy.last_call)}"
        if c.s.case.first_contact_at:
            # Weekends bring the ends of many together on a Monday; the calls about them stay apart.
            due_at = c.from_contact(min(due_at, c.terms.granted_until - policy.last_call))
            reason = "access of a case that was taken over ends soon"
        yield c.team(LAST_CALL, due_at, reason)


@reads(Kind.TEAM, WARNED)
def reminders(c: Context) -> Iterator[Step | Withheld]:
    """A call that nobody has acknowledged is repeated; where a person is waited for, until one has."""
    calls = [e for e in c.done.values() if e.kind is Kind.TEAM]
    if not calls and not c.said.owner:
        return
    # Whoever took it over before anybody was called is reminded as well.
    taken_over = latest(c.s.case.opened_at, c.said.acknowledged_at) if c.said.owner else None
    last = latest(*[effect.created_at for effect in calls], taken_over)
    if last is None:
        return
    made = sum(effect.name.startswith("reminder") for effect in calls)
    key = f"reminder:{made + 1}"
    seen = c.said.acknowledged_at
    waits_for_one = bool(c.said.owner) or (c.warned_at and awaits_acknowledgement(c))
    if seen and seen >= last and not waits_for_one:
        yield c.withhold(f"escalation:{c.ref}:{key}", "somebody has acknowledged the call")
    elif made < c.policy.most_reminders or waits_for_one:
        due_at = working_days_after(last, c.policy.remind_after, c.policy.zone, c.policy.holidays)
        reason = "nobody has acknowledged the call yet"
        if c.said.owner:
            reason = f"{c.said.owner} has taken this over, and it is still open"
        yield c.team(key, due_at, reason)
