"""differing(account, facts) -> where the provider's present word says something else than we know.

Only what a rule would act on is compared. News that is older than what we know, such as a page that was read
before an event came, changes nothing when it is folded, and so is no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dunning.account import Account, Invoice
from dunning.events import CustomerFact, InvoiceSeen
from dunning.fold import fold

CUSTOMER = ("email", "deleted")
SUBSCRIPTION = (
    "status", "cancel_at_period_end", "period_end", "trial_end", "ended_at", "paused_for", "payment_method",
)  # fmt: skip
INVOICE = (
    "status", "amount_remaining", "attempt_count", "next_attempt_at", "processing_since", "paid_at",
    "voided_at", "written_off_at",
)  # fmt: skip

# By field: what is here, and what is there.
Differs = Mapping[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One object of a customer's. `kind`: customer, subscription, invoice or access."""

    customer: str
    kind: str
    ref: str
    differs: Differs


def differing(account: Account, facts: Iterable[CustomerFact]) -> list[Difference]:
    """The objects that these facts of the customer's, read back just now, would change or contradict."""
    told = list(facts)
    after = fold(account, *told)
    owner = account.customer.ref
    found = [Difference(owner, "customer", owner, _fields(account.customer, after.customer, CUSTOMER))]
    for ref, subscription in after.subscriptions.items():
        differs = _fields(account.subscriptions.get(ref), subscription, SUBSCRIPTION)
        found.append(Difference(owner, "subscription", ref, differs))
    contradicted = {
        fact.invoice: _contradicted(account, fact) for fact in told if isinstance(fact, InvoiceSeen)
    }
    for ref, invoice in after.invoices.items():
        differs = {
            **_fields(account.invoices.get(ref), invoice, INVOICE),
            **_failures(account, after, ref),
            **contradicted.get(ref, {}),
        }
        found.append(Difference(owner, "invoice", ref, differs))
    return [each for each in found if each.differs]


def _fields(before: Any, after: Any, names: Iterable[str]) -> Differs:
    if before is None:
        return {"known": [False, True]}
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in names)
    return {name: _words(name, here, there) for name, here, there in pairs if here != there}


def _words(name: str, here: Any, there: Any) -> list[Any]:
    """Whoever writes it down has no use for an address."""
    return [bool(here), "another"] if name == "email" else [_plain(here), _plain(there)]


def _failures(before: Account, after: Account, invoice: str) -> Differs:
    here, there = len(before.charges_of(invoice)), len(after.charges_of(invoice))
    if here != there:
        return {"failed_charges": [here, there]}
    known = before.invoices.get(invoice)
    fails = known and known.failed_at is None and after.invoices[invoice].failed_at
    return {"failed": [False, True]} if fails else {}


def _contradicted(account: Account, fact: InvoiceSeen) -> Differs:
    """What is settled here is so for ever, and no newer reading can undo it: a person has to look."""
    invoice = account.invoices.get(fact.invoice)
    if invoice is None or fact.status != "open" or not (settled := _settled(invoice)):
        return {}
    return {"settled": [settled, "open"]}


def _settled(invoice: Invoice) -> str | None:
    times = {"paid": invoice.paid_at, "voided": invoice.voided_at, "written off": invoice.written_off_at}
    return next((word for word, at in times.items() if at), None)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
