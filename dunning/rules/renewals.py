"""Before anything fails: a card that expires before the next charge, and an annual renewal that comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dunning.account import PAYING, Account, Invoice, Method, Subscription
from dunning.durations import spell
from dunning.fold import latest
from dunning.forgetting import is_forgotten
from dunning.instructions import Verb
from dunning.policy import Policy
from dunning.reach import NO_ADDRESS_LEFT, unreachable_since
from dunning.segments import PolicySource
from dunning.standing import FORGOTTEN
from dunning.steps import History, Kind, Step, Withheld
from dunning.zones import zone_of

# A notice that comes on the last day is none.
AT_LEAST_BEFORE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Renewal:
    """The next charge of a subscription, and what it will be charged to, where that is known."""

    subscription: Subscription
    at: datetime
    method: Method | None

    @property
    def ref(self) -> str:
        return self.subscription.ref

    @property
    def annual(self) -> bool:
        return self.subscription.interval == "year"

    @property
    def card_expires_before(self) -> bool:
        """Whether the card is not good any more on the day of the charge."""
        return bool(self.method and (end := good_until(self.method)) and end <= self.at)


def good_until(method: Method) -> datetime | None:
    """The first moment at which a card has expired: the end of its month (UTC), or None."""
    if method.type != "card" or method.exp_year is None or method.exp_month is None:
        return None
    later, month = divmod(method.exp_month, 12)
    return datetime(method.exp_year + later, month + 1, 1, tzinfo=UTC)


def upcoming(account: Account, now: datetime) -> Iterator[Renewal]:
    """The charges to come of subscriptions in good standing."""
    for subscription in sorted(account.subscriptions.values(), key=lambda each: each.ref):
        at = subscription.period_end
        if at is None or at <= now or subscription.status not in PAYING or subscription.cancel_at_period_end:
            continue
        ref = subscription.payment_method or account.customer.payment_method
        method = account.methods.get(ref or "")
        yield Renewal(subscription, at, None if method is None or method.detached else method)


def renewals(
    account: Account, history: History, policies: PolicySource, now: datetime
) -> Iterator[Step | Withheld]:
    """One notice a rung and charge, the newest due rung only, in the customer's waking hours."""
    coming = [each for each in upcoming(account, now) if each.card_expires_before or each.annual]
    if not coming:
        return
    excluded = _excluded(account)
    if not excluded and any(unreachable_since(account, history, each.ref) for each in coming):
        excluded = NO_ADDRESS_LEFT
    paused_until = _paused_until(account)
    earliest = latest(now, paused_until, account.customer.first_contact_at) or now
    for renewal in coming:
        policy = policies.choose(account, _as_invoice(renewal))
        day = renewal.at.date().isoformat()
        if renewal.card_expires_before:
            rungs, name = policy.card_expiry_notice, "card_expiring"
            reason = "the card expires before the next charge"
        else:
            rungs, name = policy.renewal_notice, "renewal_notice"
            reason = "an annual plan renews soon"
        for before in rungs:
            key = f"{name}:{renewal.ref}:{day}:{spell(before)}"
            if excluded:
                yield Withheld(key, renewal.ref, excluded)
            elif item := _step(account, policy, renewal, before, rungs, earliest):
                due_at, wanted_at = item
                yield Step(Kind.MAIL, key, name, renewal.ref, due_at, reason, wanted_at)
            else:
                yield Withheld(key, renewal.ref, _too_late(policy, paused_until, now))


def _step(
    account: Account,
    policy: Policy,
    renewal: Renewal,
    before: timedelta,
    rungs: tuple[timedelta, ...],
    earliest: datetime,
) -> tuple[datetime, datetime] | None:
    """(due, wanted), or None where a later rung or the charge itself has overtaken it."""
    wanted = renewal.at - before
    if any(renewal.at - other <= earliest for other in rungs if other < before):
        return None
    zone = zone_of(account, policy.time_zone)
    due_at = policy.mail_hours.next_open(max(wanted, earliest), zone, policy.holidays)
    wanted = latest(wanted, _paused_until(account), account.customer.first_contact_at) or wanted
    return (due_at, wanted) if due_at <= renewal.at - AT_LEAST_BEFORE else None


def _too_late(policy: Policy, paused_until: datetime | None, now: datetime) -> str:
    if paused_until and paused_until > now:
        return f"paused until {paused_until.astimezone(policy.zone):%Y-%m-%d}, too late for this notice"
    return "it is too late for this notice"


def _excluded(account: Account) -> str | None:
    """Somebody has said that this customer is not to be written to."""
    if is_forgotten(account.instructions):
        return FORGOTTEN
    for told in reversed(account.instructions):
        if told.case is None and told.verb is Verb.RESUME:
            return None
        if told.case is None and told.verb in (Verb.EXCLUDE, Verb.STOP):
            return f"{told.by} excluded the customer: {told.why}"
        if told.case is None and told.verb is Verb.HAND_OVER:
            return f"the customer was handed over to {told.to}"
    return None


def _paused_until(account: Account) -> datetime | None:
    until = None
    for told in account.instructions:
        if told.case is None and told.verb is Verb.RESUME:
            until = None
        elif told.case is None and told.verb is Verb.PAUSE:
            until = latest(until, told.until)
    return until


def _as_invoice(renewal: Renewal) -> Invoice:
    """What segments look at before there is an invoice."""
    subscription = renewal.subscription
    return Invoice(
        ref=subscription.ref,
        subscription=subscription.ref,
        currency=subscription.currency or "usd",
        amount_remaining=subscription.amount or 0,
        collection_method="charge_automatically",
    )
