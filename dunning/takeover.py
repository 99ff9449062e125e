"""What had begun before us: when its customer first hears of us, and how long they keep access then.

On the day we are switched on many are past due, some for weeks. So the first mails are spread over three days
of the customers' waking hours, each customer at a place of their own that follows from their id alone. Grace
that is over, or nearly so, is stamped to end some days after the first mail and after every warning. What the
provider had ended by then is known, and nobody is told of it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from dunning.account import Account, Case, Invoice, Subscription
from dunning.case import settle
from dunning.events import CustomerFact
from dunning.fold import fold
from dunning.policy import Policy
from dunning.segments import PolicySource
from dunning.zones import zone_of

# Days on which mails may arrive.
SPREAD_OVER = 3
# From the first mail to the first final warning: no two ordinary mails come closer, and some can pay in it.
TOLD_BEFORE_WARNED = timedelta(days=4)


def take_over(
    before: Account, facts: Iterable[CustomerFact], policies: PolicySource, now: datetime
) -> Account:
    """The account with facts that we ask for only now: every case that they open had begun before us."""
    after = settle(fold(before, *facts), policies)
    if before.customer.as_of is None and not before.subscriptions:
        at = first_contact_at(after, policies.choose(after, Invoice(ref=after.customer.ref)), now)
        after = replace(after, customer=replace(after.customer, first_contact_at=at))
    return _with(after, [_marked(after, case, policies, now) for case in _opened(before, after)])


def begun_before_us(
    before: Account, after: Account, policies: PolicySource, now: datetime, switched_on_at: datetime
) -> Account:
    """The settled account `after` of an event that tells of a case sooner than the takeover came to it."""
    late = [
        case
        for case in _opened(before, after)
        if case.opened_at < switched_on_at and not _is_over(after, case)
    ]
    return _with(after, [_marked(after, case, policies, now) for case in late])


def _opened(before: Account, after: Account) -> list[Case]:
    return [case for ref, case in after.cases.items() if ref not in before.cases]


def _with(account: Account, cases: Iterable[Case]) -> Account:
    changed = {case.invoice: case for case in cases}
    return replace(account, cases=MappingProxyType({**account.cases, **changed})) if changed else account


def _marked(account: Account, case: Case, policies: PolicySource, now: datetime) -> Case:
    if _is_over(account, case):
        return replace(case, taken_over_at=now)
    policy = policies.of(case)
    contact = first_contact_at(account, policy, now)
    case = replace(case, taken_over_at=now, first_contact_at=contact)
    return replace(case, grace=grace_of(case, policy))


def _is_over(account: Account, case: Case) -> bool:
    subscription = account.subscriptions.get(case.subscription, Subscription(ref=case.subscription))
    return not case.is_open or subscription.stopped_for_nonpayment


def grace_of(case: Case, policy: Policy) -> timedelta:
    """What the policy grants; no less than it takes to be told and warned, for one that was taken over."""
    if case.first_contact_at is None:
        return policy.grace
    told_and_warned = TOLD_BEFORE_WARNED + policy.final_warnings[0]
    return max(policy.grace, case.first_contact_at + told_and_warned - case.opened_at)


def first_contact_at(account: Account, policy: Policy, now: datetime) -> datetime:
    """The customer's own place in the open hours of three days, the same for all that is theirs."""
    digest = hashlib.sha256(f"{account.source}:{account.customer.ref}".encode()).digest()
    share = int.from_bytes(digest[:8]) / 2**64
    hours, zone = policy.mail_hours, zone_of(account, policy.time_zone)
    return hours.after(now, SPREAD_OVER * share * hours.length, zone, policy.holidays).replace(microsecond=0)
