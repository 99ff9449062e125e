"""Which fields of a policy can matter to an account at all, and how soon: the rest need not be compared.

Ladders and schedules are read by the categories of an account's failures, amounts by their currencies. What
has to do with the end of access does not matter to who paid long before it.
Whoever adds a rule that reads more has `tests/dunning/test_comparison.py` to tell them so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dunning.account import Account
from dunning.case import classify_charge
from dunning.declines import Category, classify
from dunning.hindsight import STARTING, Hindsight
from dunning.policy import Policy
from dunning.rules.governing import BEFORE_THE_END

# What a failure without a charge, or without a telling code, may be taken for.
FALLBACKS = frozenset({Category.UNKNOWN, Category.AUTHENTICATION_REQUIRED, Category.NO_PAYMENT_METHOD})
# What may be agreed from now on, and what is told before a renewal: no case that is replayed asks for it.
OF_NO_CASE: dict[str, Any] = {
    name: Policy.model_fields[name].get_default()
    for name in ("promise_within", "extension", "card_expiry_notice", "renewal_notice")
}
# What concerns the end of access alone, and the way to it.
OF_THE_END: dict[str, Any] = {
    name: Policy.model_fields[name].get_default()
    for name in (
        "grace", "grace_from", "limited_after", "at_expiry", "end_action", "revocation_hours", "last_call",
        "acknowledge_high_value",
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Traits:
    """What of an account decides which fields are read."""

    categories: frozenset[Category]
    currencies: frozenset[str]
    starting: bool
    annual: bool


def traits(account: Account) -> Traits:
    invoices = [invoice for invoice in account.invoices.values() if invoice.failed_at]
    charged = {classify_charge(charge).category for charge in account.charges.values()}
    without = {
        classify(
            code=invoice.reason_code,
            decline_code=invoice.reason_decline_code,
            method_type=invoice.reason_method_type,
        ).category
        for invoice in invoices
    }
    return Traits(
        categories=FALLBACKS | charged | without,
        currencies=frozenset(invoice.currency.lower() for invoice in invoices),
        starting=any(invoice.billing_reason == STARTING for invoice in invoices),
        annual=any(each.interval == "year" for each in account.subscriptions.values()),
    )


def paid_within(account: Account, past: Hindsight) -> timedelta:
    """From a failure to the news of its payment, of the slowest; without end where one was not paid.

    Nor has it an end where people have spoken, since they may have moved deadlines.
    """
    longest = timedelta(0)
    for ref, opened_at in past.openings.items():
        paid_at = account.invoices[ref].paid_at
        if paid_at is None or account.instructions:
            return timedelta.max
        known_at = next((moment for moment in past.moments if moment >= paid_at), paid_at)
        longest = max(longest, known_at - opened_at)
    return longest


def same_for(one: Policy, other: Policy, of: Traits) -> timedelta:
    """How long after its first failure such a case is treated alike by both: for ever, or not at all."""
    one, other = relevant(one, of), relevant(other, of)
    if one == other:
        return timedelta.max
    if one.model_copy(update=OF_THE_END) == other.model_copy(update=OF_THE_END):
        return min(_untouched(one), _untouched(other))
    return timedelta(0)


def relevant(policy: Policy, of: Traits) -> Policy:
    """The policy with everything that cannot matter to such an account as it is by default."""
    usual = Policy()
    others = [category.value for category in Category if category not in of.categories]
    update: dict[str, Any] = OF_NO_CASE | {
        "key": usual.key,
        "ladder": policy.ladder.model_copy(update=dict.fromkeys(others, ())),
        "high_value": {name: least for name, least in policy.high_value.items() if name in of.currencies},
    }
    if policy.retries == "provider":
        update["retry"] = usual.retry
    if not of.starting:
        update["first_payment_mails"] = usual.first_payment_mails
    if not of.annual:
        update["annual_is_high_value"] = usual.annual_is_high_value
    return policy.model_copy(update=update)


def _untouched(policy: Policy) -> timedelta:
    """How long after the first failure nothing that is done depends on when access will end.

    The first warning comes in the waking hours before it is wanted; a notice that cannot wait for them, since
    the end is near, comes at night. A limit, and the call before the end, are no earlier than here.
    """
    asleep = policy.mail_hours.longest_closure(policy.holidays)
    until = policy.grace - max(policy.final_warnings[0], BEFORE_THE_END) - asleep
    if policy.last_call:
        until = min(until, policy.grace - policy.last_call)
    return min(until, policy.limited_after) if policy.limited_after else until
