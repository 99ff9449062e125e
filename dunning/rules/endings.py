"""What is said when it is over: access has ended, the payment has come, or money came too late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from dunning.access import Level
from dunning.account import Case, Outcome
from dunning.case import Situation
from dunning.rules.context import Context
from dunning.rules.rule import reads
from dunning.steps import Kind, Step, Withheld

# Stripe revives a subscription within seconds of the payment; after this long somebody has to.
REVIVAL = timedelta(hours=1)


@reads(Kind.MAIL, Kind.ACCESS)
def ending(c: Context) -> Iterator[Step | Withheld]:
    """Tell the customer, once, that access has ended for want of payment."""
    subscription, case = c.s.subscription, c.s.case
    stopped = subscription.stopped_for_nonpayment or not case.is_open
    # Who was told of the limit in the place of the end has not been told of the end.
    was_limited = case.taken_level == Level.LIMITED and stopped
    if case.taken_at and case.is_open and not was_limited:
        ended_at, how = case.taken_at, "grace_expired"
    elif subscription.stopped_for_nonpayment and case.is_open:
        ended_at, how = subscription.nonpayment_at or c.now, f"subscription_{subscription.status}"
    elif case.outcome is Outcome.ENDED and subscription.ended_for == "payment_failed" and case.closed_at:
        ended_at, how = case.closed_at, "subscription_canceled"
    else:
        return
    key = c.anew(f"access_ended:{c.ref}" + (":stopped" if was_limited else ""))
    if c.s.replaced:
        yield c.withhold(key, "the customer has another subscription that entitles them")
        return
    others = {case.invoice for case in of_same_subscription(c.s)} - {c.ref}
    told = [e.created_at for e in c.mails if e.name == "access_ended" and e.case in others]
    if told and (subscription.last_paid_at is None or max(told) > subscription.last_paid_at):
        yield c.withhold(key, "the customer was told before that this subscription gives no access any more")
        return
    yield c.mail(key, "access_ended", ended_at, f"access has ended: {how}")


def of_same_subscription(s: Situation) -> list[Case]:
    return [case for case in s.account.cases.values() if case.subscription == s.case.subscription]


@reads()
def over_before_us(c: Context) -> Iterator[Step | Withheld]:
    """Why nobody is told that access has ended: whoever dunned before us has told of it."""
    yield c.withhold(f"access_ended:{c.ref}", "the provider had ended it before the case was taken over")


@reads(Kind.MAIL, Kind.ACCESS)
def recovery(c: Context) -> Iterator[Step | Withheld]:
    """A receipt closes what our mails opened; who was never told of a failure hears nothing."""
    case = c.s.case
    if case.outcome is not Outcome.RECOVERED or case.closed_at is None:
        return
    key = f"recovered:{c.ref}"
    told = [effect for effect in c.mails_of_case if effect.key != key]
    if not told and case.taken_at is None and case.limited_at is None:
        yield c.withhold(key, "the customer was never told of the failure")
    elif c.s.subscription.stopped_for_nonpayment:
        yield c.withhold(key, "it is paid, but the provider still holds the subscription stopped")
    elif _has_receipt(c):
        yield c.withhold(key, "one receipt is enough for one payment")
    elif c.now - case.closed_at > c.policy.receipt_within:
        yield c.withhold(key, "the payment is too long ago for a receipt to be news")
    else:
        yield c.mail(key, "payment_recovered", case.closed_at, "the invoice was paid")


def _has_receipt(c: Context) -> bool:
    """Whether the payment that ended this case has ended another, whose receipt tells of it."""
    invoices = c.s.account.invoices
    together = {
        case.invoice
        for case in of_same_subscription(c.s)
        if case.closed_at == c.s.case.closed_at
        and case.invoice != c.ref
        and not (c.s.invoice.paid_at and invoices[case.invoice].paid_at)
    }
    return any(effect.name == "payment_recovered" and effect.case in together for effect in c.mails)


@reads()
def late_payment(c: Context) -> Iterator[Step | Withheld]:
    """Money taken for a subscription that gives nothing for it: a person has to look."""
    case = c.s.case
    if case.closed_at is None:
        return
    if case.outcome is Outcome.PAID_AFTER_END:
        yield c.team("paid_after_end", case.closed_at, "an invoice was paid after its subscription had ended")
    if case.outcome is Outcome.RECOVERED and c.s.subscription.stopped_for_nonpayment:
        yield c.team("paid_but_stopped", case.closed_at + REVIVAL, "it is paid, but access has not come back")
