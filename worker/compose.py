"""From a decided effect to the facts of its mail. The words are in `emails/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from dunning.account import Invoice
from dunning.case import Situation, situation, why_kept
from dunning.money import Money
from dunning.payer import naming
from dunning.reach import recipient
from dunning.rules.context import Context
from dunning.rules.expiry import limited, limited_from
from dunning.rules.first_payment import HELD_FOR
from dunning.rules.resending import repeated_step
from dunning.standing import standing
from dunning.steps import first_key
from emails.catalogue import (
    AccessEnded,
    CardLabel,
    EndReason,
    FinalWarning,
    FirstPaymentOpen,
    FreshLink,
    Mail,
    OtherInvoice,
    PayerConfirmation,
    PayerLink,
    PaymentFailed,
    PaymentRecovered,
)


def compose_mail(c: Context, *, key: str, name: str, pay_url: str | None, plan_name: str | None) -> Mail:
    """The facts of a customer's mail about a case, as of `c.now`. KeyError for an unknown mail."""
    return MAILS[name](_Facts(c, key, pay_url, plan_name))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What every mail of a case has in common."""

    c: Context
    key: str
    pay_url: str | None
    plan: str | None

    @property
    def s(self) -> Situation:
        return self.c.s

    @property
    def name(self) -> str | None:
        """Of whoever reads it; known only at the address on file."""
        customer, mail = self.s.account.customer, self.key.partition(":")[0]
        to = recipient(self.s.account, self.c.history, self.c.ref, mail)
        return customer.name if to in (None, customer.email) else None

    @property
    def card(self) -> CardLabel | None:
        last = self.s.charges[-1] if self.s.charges else None
        if last and last.card_brand and last.card_last4:
            return CardLabel(last.card_brand, last.card_last4)
        return None

    @property
    def together(self) -> list[Invoice]:
        """Everything the person owes in the currency of this case and is to be reminded of.

        First payments have mails of their own, and what somebody has stopped is not brought up.
        """
        account = self.s.account
        others = [
            account.invoices[case.invoice]
            for case in account.open_cases()
            if not standing(account, case).hold
        ]
        return [self.s.invoice] + [
            each
            for each in others
            if each.ref != self.c.ref
            and each.currency == self.s.invoice.currency
            and each.billing_reason != "subscription_create"
        ]

    @property
    def due(self) -> Money:
        owed = sum(each.amount_remaining for each in self.together)
        return Money(owed, self.s.invoice.currency)

    @property
    def other_open(self) -> int:
        return len(self.together) - 1

    @property
    def others(self) -> tuple[OtherInvoice, ...]:
        """Those besides the case's own, each with its own reason."""
        account = self.s.account
        return tuple(
            OtherInvoice(
                each.number,
                Money(each.amount_remaining, each.currency),
                situation(account, account.cases[each.ref]).decline.category,
            )
            for each in self.together[1:]
        )


def next_attempt(s: Situation, now: datetime) -> datetime | None:
    """When the provider will really charge again: what it schedules but does not execute is no promise."""
    at = s.invoice.next_attempt_at
    return at if at and at > now and s.decline.retried_by_stripe else None


def _charged_since_last_mail(f: _Facts) -> bool:
    told = [effect.created_at for effect in f.c.mails_of_case if effect.key != f.key]
    return bool(f.s.charged_again and told and f.s.charges[-1].at > max(told))


def _payment_failed(f: _Facts) -> Mail:
    # Access that nobody is going to take needs no promise.
    kept = f.c.said.hold or why_kept(f.s)
    limit_at = None if limited(f.c) else limited_from(f.c)
    access_until = None if kept else limit_at or f.c.ends_at
    next_attempt_at = next_attempt(f.s, f.c.now)
    if next_attempt_at and access_until and next_attempt_at >= access_until:
        # "We will try again", but too late: whoever waits for that loses access.
        next_attempt_at = None
    return PaymentFailed(
        customer_name=f.name,
        plan=f.plan,
        amount=f.due,
        category=f.s.decline.category,
        card=f.card,
        attempt=f.c.failed_attempts,
        charged_again=_charged_since_last_mail(f),
        next_attempt_at=next_attempt_at,
        access_until=access_until,
        ends_in="limited" if limit_at else f.c.policy.at_expiry,
        pay_url=f.pay_url,
        invoice_number=f.s.invoice.number,
        other_open=f.other_open,
        others=f.others,
    )


def _final_warning(f: _Facts) -> Mail:
    return FinalWarning(
        customer_name=f.name,
        plan=f.plan,
        amount=f.due,
        category=f.s.decline.category,
        card=f.card,
        access_until=f.c.ends_at,
        hours_left=int(first_key(f.key).rsplit(":", 1)[1].removesuffix("h")),
        consequence=f.c.policy.at_expiry,
        pay_url=f.pay_url,
        invoice_number=f.s.invoice.number,
        other_open=f.other_open,
        others=f.others,
    )


def _access_ended(f: _Facts) -> Mail:
    case, subscription = f.s.case, f.s.subscription
    reason: EndReason
    limited = case.taken_level == "limited" and not first_key(f.key).endswith(":stopped")
    if case.taken_at and (limited or case.taken_level == "revoked"):
        reason, ended_at = "grace_expired", case.taken_at
    elif subscription.ended:
        reason, ended_at = "subscription_canceled", subscription.ended_at or f.c.now
    else:
        paused = subscription.status == "paused"
        reason = "subscription_paused" if paused else "subscription_unpaid"
        ended_at = subscription.nonpayment_at or f.c.now
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
        other_open=f.other_open,
    )


def _recovered(f: _Facts) -> Mail:
    case, paid = f.s.case, _paid(f.s)
    stopped_at = f.s.subscription.nonpayment_at
    taken = case.taken_at or case.limited_at
    return PaymentRecovered(
        customer_name=f.name,
        plan=f.plan,
        amount=Money(paid.amount_paid or paid.amount_remaining, paid.currency),
        paid_at=case.closed_at or f.c.now,
        access_restored=taken is not None or bool(stopped_at and stopped_at >= case.opened_at),
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


def _first_payment(f: _Facts) -> Mail:
    return FirstPaymentOpen(
        customer_name=f.name,
        plan=f.plan,
        amount=Money(f.s.invoice.amount_remaining, f.s.invoice.currency),
        category=f.s.decline.category,
        card=f.card,
        expires_at=f.s.case.opened_at + HELD_FOR,
        pay_url=f.pay_url,
        invoice_number=f.s.invoice.number,
    )


def _fresh_link(f: _Facts) -> Mail:
    return FreshLink(customer_name=f.name, pay_url=f.pay_url)


def _payer_confirmation(f: _Facts) -> Mail:
    waits = naming(f.s.account, f.c.ref, f.c.now)
    return PayerConfirmation(customer_name=f.name, address=(waits and waits.to) or "", pay_url=f.pay_url)


def _payer_link(f: _Facts) -> Mail:
    return PayerLink(pay_url=f.pay_url)


def _resent(f: _Facts) -> Mail:
    """The mail that is repeated, with the facts of now."""
    key = repeated_step(f.key)
    return MAILS[f.c.history[key].name](replace(f, key=key))


MAILS: Mapping[str, Callable[[_Facts], Mail]] = {
    "payment_failed": _payment_failed,
    "final_warning": _final_warning,
    "access_ended": _access_ended,
    "payment_recovered": _recovered,
    "first_payment": _first_payment,
    "fresh_link": _fresh_link,
    "payer_confirmation": _payer_confirmation,
    "payer_link": _payer_link,
    "resent": _resent,
}
