"""plan(account, history, policy, now) -> Plan: the whole dunning schedule, on one page.

Pure. Each rule looks at one case and says which steps it calls for and which it holds back and why.
A step whose key is in the history was taken already and is never planned again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dunning.access import Level, access_of, still_taken
from dunning.account import Account, Case, Outcome
from dunning.case import Situation, situation, why_kept
from dunning.declines import Category
from dunning.policy import Policy
from dunning.segments import PolicySource
from dunning.steps import Effect, History, Kind, Plan, Step, Withheld, deadline, hours, warnings_accepted


@dataclass(frozen=True, slots=True)
class Context:
    """What every rule may look at: one case, what was done before, the policy and the time."""

    s: Situation
    history: History
    policy: Policy
    now: datetime
    leading: bool

    @property
    def ref(self) -> str:
        return self.s.case.invoice

    def mail(self, key: str, name: str, due_at: datetime, reason: str) -> Step:
        return Step(Kind.MAIL, key, name, self.ref, due_at, reason)

    def team(self, name: str, due_at: datetime, reason: str) -> Step:
        return Step(Kind.TEAM, f"escalation:{self.ref}:{name}", name, self.ref, due_at, reason)

    def withhold(self, key: str, reason: str) -> Withheld:
        return Withheld(key, self.ref, reason)

    def mails(self) -> list[Effect]:
        """Every mail that may have reached this person, in any of their cases."""
        return [e for e in self.history.values() if e.kind is Kind.MAIL and e.reached_somebody]


# Stripe revives a subscription within seconds of the payment; after this long somebody has to.
REVIVAL = timedelta(hours=1)

Rule = Callable[[Context], Iterator[Step | Withheld]]


def plan(account: Account, history: History, policies: PolicySource, now: datetime) -> Plan:
    """What is to be done for this account from now on. The account must be settled (`case.settle`)."""
    planned: list[Step | Withheld] = []
    leading = next(account.open_cases(), None)
    for case in sorted(account.cases.values(), key=lambda case: (case.opened_at, case.invoice)):
        context = Context(situation(account, case), history, policies.of(case), now, case == leading)
        for rule in _rules_for(context):
            planned += rule(context)
    steps = [item for item in planned if isinstance(item, Step) and item.key not in history]
    deadlines = {
        case.invoice: None if why_kept(situation(account, case)) else deadline(case, history, now)
        for case in account.open_cases()
    }
    return Plan(
        steps=tuple(sorted(steps, key=lambda step: (step.due_at, step.key))),
        withheld=tuple(item for item in planned if isinstance(item, Withheld) and item.key not in history),
        access=access_of(account, deadlines),
    )


def why_not(
    account: Account, history: History, policies: PolicySource, now: datetime, key: str
) -> str | None:
    """Why a step that was decided should not be carried out after all, or None: go ahead.

    The same rules are asked again as if the step had not been decided yet, at the point of effect.
    """
    before = {other: effect for other, effect in history.items() if other != key}
    again = plan(account, before, policies, now)
    if any(step.key == key for step in again.steps):
        return None
    return next(
        (item.reason for item in again.withheld if item.key == key), "the case no longer calls for it"
    )


def _rules_for(context: Context) -> tuple[Rule, ...]:
    case, subscription = context.s.case, context.s.subscription
    if not case.is_open:
        return (recovery, ending, late_payment)
    taken = any(still_taken(other, subscription) for other in _of_same_subscription(context))
    if subscription.stopped_for_nonpayment or taken:
        return (ending, escalation)
    return (notice, final_warnings, expiry, escalation)


def _of_same_subscription(c: Context) -> list[Case]:
    return [case for case in c.s.account.cases.values() if case.subscription == c.s.case.subscription]


def notice(c: Context) -> Iterator[Step | Withheld]:
    """One mail per charge that really failed, in the words for its reason; the newest only."""
    number = c.s.notice_number
    for older in range(1, number):
        yield c.withhold(_notice_key(c.ref, older), "a newer failure of the same invoice is told instead")
    key = _notice_key(c.ref, number)
    reason = _why_no_notice(c, number)
    if reason:
        yield c.withhold(key, reason)
        return
    due_at, why = c.s.failed_at, f"charge {number} failed"
    if c.s.decline.category is Category.PROCESSING_ERROR and number == 1:
        due_at += c.policy.transient_silence
        why = "a processing error usually passes, so it is told only if it lasts"
    told = [effect.accepted_at or effect.created_at for effect in c.mails() if effect.key != key]
    if told and max(told) + c.policy.mail_gap > due_at:
        due_at = max(told) + c.policy.mail_gap
        why += f"; at most one mail in {hours(c.policy.mail_gap)} h"
    yield c.mail(key, "payment_failed", due_at, why)


def _notice_key(ref: str, number: int) -> str:
    return f"payment_failed:{ref}:attempt:{number}"


def _why_no_notice(c: Context, number: int) -> str | None:
    if c.s.decline.category is Category.MERCHANT_SIDE:
        return "the fault is on our side, the customer can do nothing about it"
    if c.s.decline.category is Category.CONSENT_WITHDRAWN and number > 1:
        return "the customer withdrew consent: one mail, then a person"
    if c.s.subscription.cancel_at_period_end:
        return "the customer has cancelled already"
    if not c.leading and any(
        case.subscription == c.s.case.subscription and case.opened_at < c.s.case.opened_at
        for case in c.s.account.open_cases()
    ):
        return "an older unpaid invoice of the same subscription is being dunned"
    changed_at = c.s.account.customer.method_changed_at
    if number > 1 and changed_at and changed_at > c.s.last_failed_at:
        return "the customer gave a new payment method after this failure"
    warned = [e.created_at for e in c.mails() if e.name == "final_warning" and e.case == c.ref]
    first_warning = c.s.case.grace_ends_at - c.policy.final_warnings[0]
    if warned or first_warning <= c.now:
        return "the final warnings tell it"
    return None


def final_warnings(c: Context) -> Iterator[Step | Withheld]:
    """Mails before the end of access. Each later one counts back from the end that the first promised."""
    excuse = why_kept(c.s)
    end = c.s.case.grace_ends_at
    earlier: Effect | None = None
    for before in c.policy.final_warnings:
        key = _warning_key(c.ref, before)
        if excuse:
            yield c.withhold(key, excuse)
            continue
        if earlier and earlier.status in ("pending", "sending"):
            yield c.withhold(key, "the warning before it is still on its way")
        else:
            if warnings_accepted(c.s.case, c.history):
                end = deadline(c.s.case, c.history, c.now)
            yield c.mail(key, "final_warning", end - before, f"access ends in {hours(before)} h")
        earlier = c.history.get(key)
        if earlier is None:
            return


def _warning_key(ref: str, before: timedelta) -> str:
    return f"final_warning:{ref}:{hours(before)}h"


def expiry(c: Context) -> Iterator[Step | Withheld]:
    """Access ends on schedule, if somebody was warned in time. The caller asks the provider first."""
    key = f"access:{c.ref}:{c.policy.at_expiry}"
    excuse = why_kept(c.s)
    if excuse:
        yield c.withhold(key, excuse)
    elif warnings_accepted(c.s.case, c.history):
        end = deadline(c.s.case, c.history, c.now)
        yield Step(Kind.ACCESS, key, c.policy.at_expiry, c.ref, end, "grace ended without a payment")
    else:
        yield c.withhold(key, "no final warning has been accepted by the customer's mail server yet")
        if _all_warnings_tried(c):
            yield c.team(
                "unwarned",
                c.s.case.grace_ends_at,
                "no final warning reached the customer: access is kept until a person decides",
            )


def _all_warnings_tried(c: Context) -> bool:
    """A case that is learned of late is past its grace before anybody could be warned."""
    tried = [c.history.get(_warning_key(c.ref, before)) for before in c.policy.final_warnings]
    return all(effect and effect.status not in ("pending", "sending") for effect in tried)


def escalation(c: Context) -> Iterator[Step | Withheld]:
    """A person is called when charges keep failing, or at once where mails cannot help."""
    executed, needed = c.s.executed_attempts, c.policy.escalate_after
    if executed >= needed:
        yield c.team("attempts", c.s.failed_at, f"{needed} charges have failed")
    elif c.s.invoice.attempt_count >= needed:
        yield c.withhold(
            f"escalation:{c.ref}:attempts",
            f"{c.s.invoice.attempt_count} attempts were counted but only {executed} were really made",
        )
    failed = [
        e for e in c.history.values() if e.case == c.ref and e.kind is Kind.MAIL and e.status == "failed"
    ]
    if failed:
        yield c.team("undeliverable", failed[0].created_at, "a mail to the customer could not be delivered")
    if c.s.decline.category is Category.MERCHANT_SIDE:
        yield c.team("merchant_side", c.s.failed_at, "the decline points to our own configuration")
    if c.s.decline.category is Category.CONSENT_WITHDRAWN:
        yield c.team("consent_withdrawn", c.s.failed_at, "the customer told their bank to stop this payment")


def ending(c: Context) -> Iterator[Step | Withheld]:
    """Tell the customer, once, that access has ended for want of payment."""
    subscription, case = c.s.subscription, c.s.case
    if case.taken_at and case.is_open:
        ended_at, how = case.taken_at, "grace_expired"
    elif subscription.stopped_for_nonpayment and case.is_open:
        ended_at, how = subscription.nonpayment_at or c.now, f"subscription_{subscription.status}"
    elif case.outcome is Outcome.ENDED and subscription.ended_for == "payment_failed" and case.closed_at:
        ended_at, how = case.closed_at, "subscription_canceled"
    else:
        return
    key = f"access_ended:{c.ref}"
    if c.s.replaced:
        yield c.withhold(key, "the customer has another subscription that entitles them")
        return
    others = {case.invoice for case in _of_same_subscription(c)} - {c.ref}
    told = [e.created_at for e in c.mails() if e.name == "access_ended" and e.case in others]
    if told and (subscription.last_paid_at is None or max(told) > subscription.last_paid_at):
        yield c.withhold(key, "the customer was told before that this subscription gives no access any more")
        return
    yield c.mail(key, "access_ended", ended_at, f"access has ended: {how}")


def recovery(c: Context) -> Iterator[Step | Withheld]:
    """A receipt closes what our mails opened; who was never told of a failure hears nothing."""
    case = c.s.case
    if case.outcome is not Outcome.RECOVERED or case.closed_at is None:
        return
    key = f"recovered:{c.ref}"
    told = [effect for effect in c.mails() if effect.case == c.ref and effect.key != key]
    if not told and case.taken_at is None:
        yield c.withhold(key, "the customer was never told of the failure")
    elif c.s.subscription.stopped_for_nonpayment:
        yield c.withhold(key, "it is paid, but the provider still holds the subscription stopped")
    elif c.now - case.closed_at > c.policy.receipt_within:
        yield c.withhold(key, "the payment is too long ago for a receipt to be news")
    else:
        yield c.mail(key, "payment_recovered", case.closed_at, "the invoice was paid")


def late_payment(c: Context) -> Iterator[Step | Withheld]:
    """Money taken for a subscription that gives nothing for it: a person has to look."""
    case = c.s.case
    if case.closed_at is None:
        return
    if case.outcome is Outcome.PAID_AFTER_END:
        yield c.team("paid_after_end", case.closed_at, "an invoice was paid after its subscription had ended")
    if case.outcome is Outcome.RECOVERED and c.s.subscription.stopped_for_nonpayment:
        yield c.team("paid_but_stopped", case.closed_at + REVIVAL, "it is paid, but access has not come back")


def access_step_level(step: Step) -> Level:
    """The access level an ACCESS step leads to. ValueError for any other step."""
    return Level(step.name)
