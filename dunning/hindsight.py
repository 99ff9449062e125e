"""What was known of an account at an earlier moment, read from what is known of it now.

The mirror keeps when things happened (charges, failures, payments, stops, what people said) and of everything
else how it looks today: plan, amount, country and the like count as they are now. What a subscription's
status was follows from those times; that it was to end with its period counts from when it was seen last.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType

from dunning.account import Account, Charge, Customer, Invoice, Subscription
from dunning.case import first_failure, is_dunned
from dunning.lazy import lazy
from dunning.values import changed

# A charge, the event that tells of it and what is read back because of it are one piece of news.
ONE_PIECE = timedelta(minutes=1)
STARTING = "subscription_create"


class Hindsight:
    """`at` is the account as of a moment; whatever follows from that is worked out once."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._seen: dict[datetime, Account] = {}
        self._charges = sorted(account.charges.values(), key=lambda charge: (charge.at, charge.ref))
        self._by_invoice: dict[str, list[Charge]] = {}
        for charge in self._charges:
            self._by_invoice.setdefault(charge.invoice, []).append(charge)

    @lazy
    def openings(self) -> dict[str, datetime]:
        """When the first payment of each invoice that is dunned failed."""
        found = {
            ref: first_failure(self._account, invoice)
            for ref, invoice in self._account.invoices.items()
            if is_dunned(invoice)
        }
        return {ref: at for ref, at in found.items() if at}

    @lazy
    def moments(self) -> list[datetime]:
        """When something was learned, from the first failure on."""
        account = self._account
        heard = [account.invoices[ref].failed_at for ref in self.openings]
        first = min(filter(None, heard), default=None)
        if first is None:
            return []
        times = sorted({first, *(at for at in _times(account) if at > first)})
        last_of_their_minute = [at for at, after in pairwise(times) if after - at > ONE_PIECE]
        return [*last_of_their_minute, times[-1]]

    @lazy
    def news(self) -> list[tuple[datetime, Account]]:
        """Each moment with the account."""
        return [(moment, self.at(moment)) for moment in self.moments]

    def at(self, moment: datetime) -> Account:
        """What was known, without cases."""
        if moment not in self._seen:
            self._seen[moment] = self._at(moment)
        return self._seen[moment]

    def opened(self) -> Iterator[tuple[Account, Invoice]]:
        """Each invoice that is dunned, with the account, as of when its failure became known."""
        for ref in self.openings:
            heard = self._account.invoices[ref].failed_at
            known = self.at(next(moment for moment in self.moments if heard and moment >= heard))
            yield known, known.invoices[ref]

    def _at(self, moment: datetime) -> Account:
        account = self._account
        invoices = {
            ref: self._invoice(invoice, moment)
            for ref, invoice in account.invoices.items()
            if _first_heard(invoice) <= moment
        }
        return Account(
            source=account.source,
            customer=_customer(account.customer, moment),
            subscriptions=MappingProxyType(
                {
                    ref: _subscription(each, [i for i in invoices.values() if i.subscription == ref], moment)
                    for ref, each in account.subscriptions.items()
                }
            ),
            invoices=MappingProxyType(invoices),
            charges=MappingProxyType({each.ref: each for each in self._charges if each.at <= moment}),
            methods=account.methods,
            instructions=tuple(each for each in account.instructions if each.at <= moment),
        )

    def _invoice(self, invoice: Invoice, moment: datetime) -> Invoice:
        charges = self._by_invoice.get(invoice.ref, [])
        made = [charge for charge in charges if charge.at <= moment]
        latest = max([*(charge.at for charge in charges[-1:]), invoice.last_failed_at or moment])
        attempts, read = invoice.attempt_count, invoice.ledger_attempt
        if moment < latest:
            attempts = min(attempts, max(1, len(made)))
            read = min(read, attempts)
        paid_at = _until(invoice.paid_at, moment)
        owed = invoice.amount_remaining
        if invoice.paid_at and not paid_at:
            owed += invoice.amount_paid
        failures = [charge.at for charge in made]
        failures += filter(None, (_until(invoice.failed_at, moment), _until(invoice.last_failed_at, moment)))
        return changed(
            invoice,
            failed_at=_until(invoice.failed_at, moment),
            last_failed_at=max(failures, default=None),
            attempt_count=attempts,
            ledger_attempt=read,
            counted_at=_until(invoice.counted_at, moment),
            next_attempt_at=_next_attempt(invoice, charges, moment),
            processing_since=None if paid_at else _until(invoice.processing_since, moment),
            paid_at=paid_at,
            amount_paid=invoice.amount_paid if paid_at else 0,
            amount_remaining=owed,
            voided_at=_until(invoice.voided_at, moment),
            written_off_at=_until(invoice.written_off_at, moment),
        )


def _times(account: Account) -> Iterator[datetime]:
    for invoice in account.invoices.values():
        yield from filter(
            None,
            (
                invoice.failed_at,
                invoice.last_failed_at,
                invoice.processing_since,
                invoice.paid_at,
                invoice.voided_at,
                invoice.written_off_at,
            ),
        )
    for subscription in account.subscriptions.values():
        yield from filter(None, (subscription.ended_at, subscription.nonpayment_at))
        # Nothing else of how it was seen last changes what a rule says of the time before.
        if subscription.as_of and (subscription.cancel_at_period_end or subscription.ended):
            yield subscription.as_of.at
    yield from (charge.at for charge in account.charges.values())
    yield from (told.at for told in account.instructions)
    customer = account.customer
    if customer.method_changed_at:
        yield customer.method_changed_at
    if customer.deleted and customer.as_of:
        yield customer.as_of.at


def _until(at: datetime | None, moment: datetime) -> datetime | None:
    return at if at and at <= moment else None


def _first_heard(invoice: Invoice) -> datetime:
    """Of an invoice that never failed, its payment."""
    known = [at for at in (invoice.failed_at, invoice.paid_at) if at]
    return min(known) if known else datetime.max.replace(tzinfo=UTC)


def _next_attempt(invoice: Invoice, charges: list[Charge], moment: datetime) -> datetime | None:
    """The provider tells of its next charge. When those were planned that are past, the ledger knows."""
    if invoice.as_of and invoice.as_of.at <= moment:
        planned = invoice.next_attempt_at
        return planned if planned and planned > moment else None
    return next((charge.at for charge in charges if charge.at > moment), None)


def _customer(customer: Customer, moment: datetime) -> Customer:
    deleted = customer.deleted and bool(customer.as_of and customer.as_of.at <= moment)
    changed_at = _until(customer.method_changed_at, moment)
    if (deleted, changed_at) == (customer.deleted, customer.method_changed_at):
        return customer
    return changed(customer, deleted=deleted, method_changed_at=changed_at)


def _subscription(now: Subscription, invoices: list[Invoice], moment: datetime) -> Subscription:
    """`invoices` are those of the subscription, as of then. Without a period's end no renewal is planned."""
    payments = [invoice.paid_at for invoice in invoices if invoice.paid_at and invoice.amount_paid > 0]
    paid_at = _until(now.last_paid_at, moment) or max(payments, default=None)
    then = changed(
        now,
        period_end=None,
        last_paid_at=paid_at,
        # It was seen in good standing after a payment, or before anything failed.
        good_at=_until(now.good_at, moment) or max(payments, default=None),
        nonpayment_at=_until(now.nonpayment_at, moment),
    )
    if now.as_of and now.as_of.at <= moment:
        return then
    ended = bool(now.ended and now.ended_at and now.ended_at <= moment)
    status = now.status if ended else _status(then, invoices, moment)
    return changed(
        then,
        status=status,
        cancel_at_period_end=False,
        ended_at=now.ended_at if ended else None,
        ended_for=now.ended_for if ended else None,
        paused_for=now.paused_for if status == "paused" else None,
    )


def _status(then: Subscription, invoices: list[Invoice], moment: datetime) -> str:
    if then.owes_since_stop:
        return "paused" if then.status == "paused" else "unpaid"
    failing = [invoice for invoice in invoices if invoice.failed_at and not invoice.settled]
    if any(invoice.billing_reason == STARTING for invoice in failing):
        return "incomplete"
    if failing:
        return "past_due"
    return "trialing" if then.trial_end and then.trial_end > moment else "active"
