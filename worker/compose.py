"""From a decided effect to the facts of its mail. The words are in `emails/`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dunning.account import Invoice
from dunning.case import Situation
from dunning.money import Money
from dunning.policy import Policy
from dunning.steps import Effect, History, Kind, Plan, deadline
from emails.catalogue import (
    AccessEnded,
    CardLabel,
    EndReason,
    FinalWarning,
    Mail,
    PaymentFailed,
    PaymentRecovered,
    TeamEscalation,
)

# What the team reads instead of our step names.
MAIL_TITLES: Mapping[str, str] = {
    "payment_failed": "Mail: payment failed",
    "final_warning": "Mail: access is about to end",
    "access_ended": "Mail: access has ended",
    "payment_recovered": "Mail: receipt",
}
ACCESS_TITLES: Mapping[str, str] = {"revoked": "Access is revoked", "limited": "Access is limited"}


def compose_mail(
    s: Situation,
    history: History,
    policy: Policy,
    *,
    key: str,
    name: str,
    now: datetime,
    pay_url: str | None,
    plan_name: str | None,
) -> Mail:
    """The facts of a customer's mail, as of `now` in the account's time. KeyError for an unknown mail."""
    write = {
        "payment_failed": _payment_failed,
        "final_warning": _final_warning,
        "access_ended": _access_ended,
        "payment_recovered": _recovered,
    }[name]
    return write(_Facts(s, history, policy, key, now, pay_url, plan_name))


class _Facts:
    """What every mail of a case has in common."""

    def __init__(
        self,
        s: Situation,
        history: History,
        policy: Policy,
        key: str,
        now: datetime,
        pay_url: str | None,
        plan_name: str | None,
    ) -> None:
        self.s, self.history, self.policy, self.key, self.now = s, history, policy, key, now
        self.pay_url, self.plan = pay_url, plan_name
        self.name = s.account.customer.name
        self.due = amount_due(s.invoice)

    @property
    def card(self) -> CardLabel | None:
        last = self.s.charges[-1] if self.s.charges else None
        if last and last.card_brand and last.card_last4:
            return CardLabel(last.card_brand, last.card_last4)
        return None

    @property
    def deadline(self) -> datetime:
        return deadline(self.s.case, self.history, self.now)


def amount_due(invoice: Invoice) -> Money:
    return Money(invoice.amount_remaining, invoice.currency)


def next_attempt(s: Situation, now: datetime) -> datetime | None:
    """When the provider will really charge again: what it schedules but does not execute is no promise."""
    at = s.invoice.next_attempt_at
    return at if at and at > now and s.decline.retried_by_stripe else None


def _charged_since_last_mail(f: _Facts) -> bool:
    told = [
        e.created_at
        for e in f.history.values()
        if e.case == f.s.case.invoice and e.key != f.key and _went_out(e)
    ]
    return bool(f.s.charged_again and told and f.s.charges[-1].at > max(told))


def _went_out(effect: Effect) -> bool:
    return effect.kind is Kind.MAIL and effect.reached_somebody


def _payment_failed(f: _Facts) -> Mail:
    # Access that nobody is going to take needs no promise.
    access_until = None if f.s.replaced else f.deadline
    next_attempt_at = next_attempt(f.s, f.now)
    if next_attempt_at and access_until and next_attempt_at >= access_until:
        # "We will try again", but too late: whoever waits for that loses access.
        next_attempt_at = None
    return PaymentFailed(
        customer_name=f.name,
        plan=f.plan,
        amount=f.due,
        category=f.s.decline.category,
        card=f.card,
        attempt=f.s.executed_attempts,
        charged_again=_charged_since_last_mail(f),
        next_attempt_at=next_attempt_at,
        access_until=access_until,
        pay_url=f.pay_url,
        invoice_number=f.s.invoice.number,
        other_open=0,
    )


def _final_warning(f: _Facts) -> Mail:
    return FinalWarning(
        customer_name=f.name,
        plan=f.plan,
        amount=f.due,
        category=f.s.decline.category,
        card=f.card,
        access_until=f.deadline,
        hours_left=int(f.key.rsplit(":", 1)[1].removesuffix("h")),
        consequence=f.policy.at_expiry,
        pay_url=f.pay_url,
        invoice_number=f.s.invoice.number,
        other_open=0,
    )


def _access_ended(f: _Facts) -> Mail:
    case, subscription = f.s.case, f.s.subscription
    reason: EndReason
    if case.taken_at:
        reason, ended_at = "grace_expired", case.taken_at
    elif subscription.ended:
        reason, ended_at = "subscription_canceled", subscription.ended_at or f.now
    else:
        paused = subscription.status == "paused"
        reason = "subscription_paused" if paused else "subscription_unpaid"
        ended_at = subscription.nonpayment_at or f.now
    limited = case.taken_level == "limited"
    return AccessEnded(
        customer_name=f.name,
        plan=f.plan,
        # Paying for a subscription that has ended would bring nothing back.
        amount=None if f.s.invoice.settled or subscription.ended else f.due,
        reason=reason,
        consequence="limited" if limited else "revoked",
        ended_at=ended_at,
        return_url=f.pay_url,
        invoice_number=f.s.invoice.number,
        other_open=0,
    )


def _recovered(f: _Facts) -> Mail:
    case, paid = f.s.case, _paid(f.s)
    stopped_at = f.s.subscription.nonpayment_at
    return PaymentRecovered(
        customer_name=f.name,
        plan=f.plan,
        amount=Money(paid.amount_paid or paid.amount_remaining, paid.currency),
        paid_at=case.closed_at or f.now,
        access_restored=case.taken_at is not None or bool(stopped_at and stopped_at >= case.opened_at),
        invoice_number=paid.number if paid.paid_at else None,
    )


def _paid(s: Situation) -> Invoice:
    """The invoice whose payment ended the case: its own, or a later one while its own is still open."""
    if s.invoice.paid_at:
        return s.invoice
    later = (
        invoice
        for invoice in s.account.invoices.values()
        if invoice.subscription == s.case.subscription
        and invoice.paid_at == s.case.closed_at
        and invoice.amount_paid > 0
    )
    return next(later, s.invoice)


def compose_escalation(
    s: Situation,
    planned: Plan,
    history: History,
    *,
    reason: str,
    now: datetime,
    livemode: bool,
    plan_name: str | None,
) -> TeamEscalation:
    """What a person needs to take over: who, how much, why, since when, what was done, what comes."""
    ref = s.case.invoice
    base = "https://dashboard.stripe.com" + ("" if livemode else "/test")
    customer = s.account.customer
    return TeamEscalation(
        reasons=(reason,),
        customer_ref=customer.ref,
        customer_name=customer.name,
        customer_email=customer.email,
        plan=plan_name,
        amount=amount_due(s.invoice),
        category=s.decline.category,
        decline_code=s.decline.code,
        failing_since=s.case.opened_at,
        access_until=deadline(s.case, history, now) if _will_be_taken(ref, planned) else None,
        sent=tuple(
            (effect.created_at, MAIL_TITLES[effect.name])
            for effect in sorted(history.values(), key=lambda effect: effect.created_at)
            if effect.case == ref and _went_out(effect)
        ),
        upcoming=tuple(
            (step.due_at, MAIL_TITLES.get(step.name) or ACCESS_TITLES.get(step.name) or step.reason)
            for step in planned.steps
            if step.case == ref and step.kind is not Kind.TEAM and step.due_at > now
        ),
        links=(
            ("Invoice in Stripe", f"{base}/invoices/{ref}"),
            ("Customer in Stripe", f"{base}/customers/{customer.ref}"),
        ),
    )


def _will_be_taken(ref: str, planned: Plan) -> bool:
    """Whether access ends by our own hand: a warning, or the end itself, is still to come."""
    return any(
        step.case == ref and (step.kind is Kind.ACCESS or step.name == "final_warning")
        for step in planned.steps
    )
