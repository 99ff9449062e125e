"""Cases: when one opens, when it closes and why, and what is known of it meanwhile.

A case is the dunning of one unpaid invoice of a subscription. It opens at the first failure, its grace
is stamped once, and everything else about it is read from facts, so no order of events can change it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from types import MappingProxyType

from dunning.account import PAYING, Account, Case, Charge, Invoice, Outcome, Subscription
from dunning.declines import Category, Decline, classify
from dunning.fold import latest
from dunning.lazy import altered, lazy
from dunning.segments import PolicySource
from dunning.standing import forgiven_at
from dunning.values import changed, lean


def settle(account: Account, policies: PolicySource) -> Account:
    """Open the cases that the facts call for and close those that they end.

    An invoice sent for payment by hand is not a failed charge.
    """
    cases = dict(account.cases)
    for invoice in account.invoices.values():
        case = cases.get(invoice.ref)
        opened_at = first_failure(account, invoice)
        if opened_at is None or invoice.subscription is None or not is_dunned(invoice):
            continue
        if case is None:
            policy = policies.choose(account, invoice)
            case = Case(invoice.ref, invoice.subscription, opened_at, policy.grace, policy=policy)
        if case.opened_at != opened_at:
            # The end that was stamped when it was taken over stays where it is.
            kept = case.opened_at - opened_at if case.first_contact_at else timedelta(0)
            case = changed(case, opened_at=opened_at, grace=case.grace + kept)
        closed_at, outcome = _end(account, case)
        if outcome is None and case.outcome is Outcome.RECOVERED:
            # Money came. A later failure is another case; this one does not come back with its old deadline.
            continue
        if (case.closed_at, case.outcome) != (closed_at, outcome):
            case = changed(case, closed_at=closed_at, outcome=outcome)
        cases[invoice.ref] = case
    return account if cases == account.cases else changed(account, cases=MappingProxyType(cases))


def is_dunned(invoice: Invoice) -> bool:
    """Whether a failure of this invoice is the failed charge of a subscription."""
    return invoice.subscription is not None and invoice.collection_method != "send_invoice"


def first_failure(account: Account, invoice: Invoice) -> datetime | None:
    """When its first payment failed. An event is made a little after its charge; some failures have none."""
    if invoice.failed_at is None:
        return None
    made = [charge.at for charge in account.charges.values() if charge.invoice == invoice.ref]
    return min([invoice.failed_at, *made])


def _end(account: Account, case: Case) -> tuple[datetime | None, Outcome | None]:
    invoice = account.invoices[case.invoice]
    subscription = account.subscription(case.subscription)
    if invoice.paid_at:
        return invoice.paid_at, _paid(invoice, subscription)
    forgiven = forgiven_at(account, case)
    if forgiven:
        return forgiven, Outcome.FORGIVEN
    if invoice.voided_at:
        return invoice.voided_at, Outcome.VOIDED
    if invoice.written_off_at:
        return invoice.written_off_at, Outcome.WRITTEN_OFF
    revived_at = _revived_at(account, case, subscription)
    if revived_at:
        return revived_at, Outcome.RECOVERED
    if subscription.ended and subscription.as_of:
        return subscription.ended_at or subscription.as_of.at, Outcome.ENDED
    if account.customer.deleted and account.customer.as_of:
        return account.customer.as_of.at, Outcome.ENDED
    return None, None


def _paid(invoice: Invoice, subscription: Subscription) -> Outcome:
    if invoice.amount_paid <= 0:
        return Outcome.CREDITED
    if (
        subscription.ended
        and subscription.ended_at
        and invoice.paid_at
        and invoice.paid_at > subscription.ended_at
    ):
        return Outcome.PAID_AFTER_END
    return Outcome.RECOVERED


def _revived_at(account: Account, case: Case, subscription: Subscription) -> datetime | None:
    """When a later invoice was paid: that revives a Stripe subscription, though an older one stays open.

    Only latches are read, so that the next failure does not undo what a payment has ended.
    """
    payments = [
        invoice.paid_at
        for invoice in account.invoices.values()
        if invoice.subscription == case.subscription
        and invoice.paid_at
        and invoice.amount_paid > 0
        and (first_failure(account, invoice) or invoice.paid_at) > case.opened_at
    ]
    good_at = subscription.good_at
    return min((at for at in payments if good_at and at <= good_at), default=None)


@lean
@dataclass(frozen=True)
class Situation:
    """One case with all that a rule asks about it."""

    account: Account
    case: Case
    invoice: Invoice
    subscription: Subscription
    charges: tuple[Charge, ...]
    decline: Decline

    @property
    def first_payment(self) -> bool:
        """Whether it is the first charge of a subscription: nothing has been granted, so nothing is taken.

        Stripe: `billing_reason: subscription_create` concerns an `incomplete` subscription, for 23 hours.
        """
        return self.invoice.billing_reason == "subscription_create"

    @lazy
    def executed_attempts(self) -> int:
        """How many charges really failed, customers' own extra tries not counted.

        `attempt_count` counts schedule positions (executed or not), the ledger counts charges (the
        customer's own included): the smaller of the two is right whichever is inflated. Positions
        after the last reading of the ledger are believed until it is read again.
        """
        read = min(self.invoice.ledger_attempt, self.invoice.attempt_count)
        return min(self._possibly_scheduled, read) + self.invoice.attempt_count - read

    @lazy
    def _declines(self) -> list[Decline]:
        """Of each charge."""
        return [classify_charge(charge) for charge in self.charges]

    @lazy
    def _possibly_scheduled(self) -> int:
        """The charges that are not certainly the customer's own.

        Stripe never repeats a hard decline on the same card: a further charge of it was made by hand.
        """
        own = sum(
            not decline.retried_by_stripe
            and (before.card_brand, before.card_last4) == (after.card_brand, after.card_last4)
            for decline, (before, after) in zip(self._declines, pairwise(self.charges), strict=False)
        )
        return len(self.charges) - own

    @property
    def lasts_past_grace_unpaid(self) -> bool:
        """Whether the period in which the customer is goes on after grace, and is the one not paid for."""
        period_end = self.subscription.period_end
        return self.subscription.status == "past_due" and bool(
            period_end and period_end > self.case.grace_ends_at
        )

    @property
    def notice_number(self) -> int:
        """Which failure notice is the current one. A payment that waits for its owner is the first."""
        return max(1, self.executed_attempts)

    @lazy
    def failed_at(self) -> datetime:
        """When the current notice's failure happened: the provider's own, whatever was tried by hand."""
        invoice = self.invoice
        if invoice.ledger_attempt < invoice.attempt_count or not self.charges:
            return latest(invoice.last_failed_at, self.case.opened_at) or self.case.opened_at
        if invoice.counted_at and invoice.counted == self.executed_attempts:
            made = [charge.at for charge in self.charges if charge.at <= invoice.counted_at]
            return made[-1] if made else invoice.counted_at
        return self.charges[min(self.notice_number, len(self.charges)) - 1].at

    @lazy
    def last_failed_at(self) -> datetime:
        """When a payment failed last, the customer's own tries included."""
        return latest(self.invoice.last_failed_at, self.failed_at) or self.failed_at

    @lazy
    def needs_customer_since(self) -> datetime | None:
        """When a charge first failed in a way that only the customer can mend, as what failed before had not.

        What failed first may have been no charge: a payment that waited for the bank's confirmation.
        """
        for number, (charge, decline) in enumerate(zip(self.charges, self._declines, strict=True)):
            if decline.needs_new_method or not decline.retried_by_stripe:
                return charge.at if number or charge.at > self.case.opened_at else None
        return None

    @property
    def charged_again(self) -> bool:
        """Whether "we tried again" is true: more than one charge, and the ledger has been read."""
        return len(self.charges) > 1

    @lazy
    def replaced(self) -> bool:
        """Whether the customer has another subscription that entitles them."""
        return any(
            other.ref != self.subscription.ref
            and other.status in PAYING
            and not other.owes_since_stop
            and not any(case.subscription == other.ref for case in self.account.open_cases())
            for other in self.account.subscriptions.values()
        )

    def once_taken(self, account: Account) -> Situation:
        """The same in the account of right after access was taken, for this case or another."""
        return altered(self, account=account, case=account.cases[self.case.invoice])


def situation(account: Account, case: Case) -> Situation:
    invoice = account.invoices[case.invoice]
    charges = tuple(account.charges_of(case.invoice))
    return Situation(
        account=account,
        case=case,
        invoice=invoice,
        subscription=account.subscription(case.subscription),
        charges=charges,
        decline=decline_of(invoice, charges[-1] if charges else None),
    )


def why_kept(s: Situation) -> str | None:
    """Why access is not taken for this case, whatever the clock says."""
    if s.decline.category is Category.MERCHANT_SIDE:
        return "the fault is on our side"
    if s.replaced:
        return "the customer has another subscription that entitles them"
    if s.decline.category is Category.FRAUD:
        return "it may be fraud: a person decides"
    if s.subscription.cancel_at_period_end and not s.lasts_past_grace_unpaid:
        return "the customer has cancelled: access lasts to the end of the period"
    if s.subscription.status == "paused" and not s.subscription.stopped_for_nonpayment:
        return "the subscription is paused: there is no access to take"
    return None


def classify_charge(charge: Charge) -> Decline:
    """What the decline of this one charge means."""
    return classify(
        code=charge.code,
        decline_code=charge.decline_code,
        outcome_reason=charge.outcome_reason,
        advice_code=charge.advice_code,
        method_type=charge.method_type,
    )


def decline_of(invoice: Invoice, charge: Charge | None) -> Decline:
    """Why the payment failed: the reason of this charge, else what the payment said without a charge."""
    if charge:
        decline = classify_charge(charge)
    else:
        decline = classify(
            code=invoice.reason_code,
            decline_code=invoice.reason_decline_code,
            method_type=invoice.reason_method_type,
        )
    if decline.category is not Category.UNKNOWN:
        return decline
    if invoice.action_required:
        return replace(decline, category=Category.AUTHENTICATION_REQUIRED)
    if invoice.no_method and charge is None:
        return replace(
            decline, category=Category.NO_PAYMENT_METHOD, retried_by_stripe=False, needs_new_method=True
        )
    return decline
