"""Which fields of a policy can matter to an account at all: the rest need not be compared.

Ladders and schedules are read by the categories of an account's failures, amounts by their currencies.
Whoever adds a rule that reads more has `tests/dunning/test_comparison.py` to tell them so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dunning.account import Account
from dunning.case import classify_charge
from dunning.declines import Category, classify
from dunning.hindsight import STARTING
from dunning.policy import Policy

# What a failure without a charge, or without a telling code, may be taken for.
FALLBACKS = frozenset({Category.UNKNOWN, Category.AUTHENTICATION_REQUIRED, Category.NO_PAYMENT_METHOD})
# What may be agreed from now on, and what is told before a renewal: no case that is replayed asks for it.
OF_NO_CASE: dict[str, Any] = {
    name: Policy.model_fields[name].get_default()
    for name in ("promise_within", "extension", "card_expiry_notice", "renewal_notice")
}


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
