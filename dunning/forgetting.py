"""A customer who is forgotten: the money trail stays, the person goes, and no later fact brings them back.

Forgetting is an instruction like any other, so every plan and every fold reads it. While it holds nothing is
done about them by ourselves, as for an excluded customer: nobody could warn them. What the provider says of
their subscriptions and payments counts as before, since access follows the money.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from dunning.account import Account
from dunning.events import CustomerFact, CustomerSeen, MethodSeen, PayPageSeen
from dunning.instructions import Instruction, Verb

# The last digits of a charged card stay with the charge: how often a card may be charged again hangs on them.
WHO_THEY_ARE: Mapping[str, Any] = {
    "email": None,
    "name": None,
    "locales": (),
    "country": None,
    "metadata": (),
}
THEIR_CARD: Mapping[str, Any] = {"last4": None, "exp_month": None, "exp_year": None}


def is_forgotten(instructions: Sequence[Instruction]) -> bool:
    """Whether the last word about it, of what people have told us, is to forget the customer."""
    words = [each.verb for each in instructions if each.verb in (Verb.FORGET, Verb.REMEMBER)]
    return words[-1:] == [Verb.FORGET]


def without_person(account: Account) -> Account:
    """The account with everything that says who its customer is taken out."""
    methods = {ref: replace(method, **THEIR_CARD) for ref, method in account.methods.items()}
    # A page where an invoice is paid usually says whose it is.
    invoices = {
        ref: replace(each, pay_url=None) if each.pay_url else each for ref, each in account.invoices.items()
    }
    return replace(
        account,
        customer=replace(account.customer, **WHO_THEY_ARE),
        methods=MappingProxyType(methods),
        invoices=MappingProxyType(invoices),
    )


def nameless(fact: CustomerFact) -> CustomerFact:
    """What a fact says of the money alone."""
    match fact:
        case CustomerSeen():
            return replace(fact, **WHO_THEY_ARE)
        case MethodSeen():
            return replace(fact, **THEIR_CARD)
        case PayPageSeen():
            return replace(fact, url="")
    return fact
