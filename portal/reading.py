"""The facts of a case for its page, read off the same rules as the mails."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from dunning.abilities import Ability
from dunning.account import Case, Invoice, Outcome
from dunning.case import why_kept
from dunning.instructions import THE_CUSTOMER, Verb
from dunning.money import Money
from dunning.payer import confirmation_step, naming
from dunning.refusals import refusal as not_to_be_promised
from dunning.requests import Request, as_instruction
from dunning.rules.context import Context
from dunning.rules.expiry import limited_from
from dunning.rules.first_payment import HELD_FOR
from dunning.rules.paying_now import refusal, refusal_anew
from dunning.rules.returning import VOID, may_return
from dunning.standing import standing
from emails.catalogue import CardLabel
from portal.facts import Coming, Facts, Owed, State
from providers.systems import abilities_of
from worker.compose import next_attempt


def facts(c: Context, made_by: str = "") -> Facts:
    """The facts of one case of a settled account, as of `c.now`.

    `made_by` is the step of the mail that the reader's link comes from.
    """
    s = c.s
    invoice, subscription = s.invoice, s.subscription
    state = _state(c)
    access, since = _access(c)
    on_file, charged = _on_file(c), _charged(c)
    can = abilities_of(s.account.source)
    sells = Ability.SELL in can
    return Facts(
        state=state,
        category=s.decline.category,
        plan=subscription.plan,
        number=invoice.number,
        amount=_amount(invoice, state),
        card=on_file or charged,
        declined=charged if on_file and charged != on_file else None,
        coming=tuple(sorted(_coming(c), key=lambda each: each.at)) if state is State.OPEN else (),
        others=tuple(_others(c)),
        access=access if state is State.OPEN else None,
        access_since=since if state is State.OPEN else None,
        processing=invoice.processing_since is not None,
        refused=refusal(c),
        refused_anew=refusal_anew(c),
        promise_within=_promise_within(c) if state is State.OPEN else None,
        promised=_promised(c) if state is State.OPEN else None,
        naming=_naming(c, made_by) if state is State.OPEN else None,
        first_payment=s.first_payment,
        paid_at=s.case.closed_at if state is State.PAID else None,
        ended_at=subscription.ended_at if subscription.ended else None,
        for_nonpayment=subscription.ended_for == "payment_failed",
        replaced=s.replaced,
        may_return=sells and may_return(s),
        on_hold=sells and state is State.OPEN and subscription.status == "unpaid",
        left=_left(invoice) if state is State.ENDED else None,
        left_is_voided=c.policy.unpaid_on_return == VOID,
        can=can,
    )


def _state(c: Context) -> State:
    case = c.s.case
    if case.outcome in (Outcome.RECOVERED, Outcome.PAID_AFTER_END):
        return State.PAID
    if case.outcome is Outcome.ENDED and not c.s.account.customer.deleted:
        return State.ENDED
    return State.OPEN if case.is_open else State.CLOSED


def _amount(invoice: Invoice, state: State) -> Money:
    paid = state is State.PAID and invoice.amount_paid > 0
    return Money(invoice.amount_paid if paid else invoice.amount_remaining, invoice.currency)


def _left(invoice: Invoice) -> Money | None:
    owed = invoice.amount_remaining
    return Money(owed, invoice.currency) if owed > 0 and not invoice.settled else None


def _access(c: Context) -> tuple[str | None, datetime | None]:
    case, subscription = c.s.case, c.s.subscription
    if c.s.first_payment or c.s.replaced:
        return None, None
    if subscription.stopped_for_nonpayment:
        return "revoked", subscription.nonpayment_at
    if case.taken_at:
        return case.taken_level or "revoked", case.taken_at
    return ("limited", case.limited_at) if case.limited_at else (None, None)


def _coming(c: Context) -> list[Coming]:
    """Only what lies ahead, and no charge that would come too late for whoever waits for it."""
    changes = [each for each in _changes(c) if each.at > c.now]
    retry = next_attempt(c.s, c.now)
    if retry and all(retry < each.at for each in changes):
        return [Coming(retry, "retry"), *changes]
    return changes


def _changes(c: Context) -> list[Coming]:
    case = c.s.case
    if c.s.first_payment:
        return [Coming(case.opened_at + HELD_FOR, "expires")]
    if c.said.hold or why_kept(c.s) or case.taken_at or c.s.subscription.stopped_for_nonpayment:
        return []
    limited = None if case.limited_at else limited_from(c)
    ends = Coming(c.ends_at, c.policy.at_expiry)
    return [Coming(limited, "limited"), ends] if limited else [ends]


def _promise_within(c: Context) -> tuple[date, date] | None:
    """In the merchant's calendar, by which a day ends."""
    if c.policy.promise_within is None:
        return None
    today = c.now.astimezone(c.policy.zone).date()
    reach = today + timedelta(days=1), today + c.policy.promise_within
    asked = Request(Verb.PROMISE, THE_CUSTOMER, "-", case=c.ref, until=reach[0])
    told = as_instruction(asked, c.policy.zone, c.now)
    return None if not_to_be_promised(c.s.account, c.history, c.policy, told, c.now) else reach


def _promised(c: Context) -> date | None:
    promise = c.said.promise
    if promise is None or promise.until is None or c.said.promise_broken(c.now):
        return None
    return promise.until.astimezone(c.policy.zone).date()


def _naming(c: Context, made_by: str) -> str | None:
    """Only a link that went to the address on file may confirm."""
    account = c.s.account
    waits = naming(account, c.ref, c.now)
    return waits.to if waits and made_by == confirmation_step(account, c.ref) else None


def _on_file(c: Context) -> CardLabel | None:
    """What is charged next: the subscription's own method goes before the customer's."""
    account = c.s.account
    ref = c.s.subscription.payment_method or account.customer.payment_method
    method = account.methods.get(ref or "")
    if method is None or method.detached or method.last4 is None:
        return None
    return CardLabel(method.brand or method.type, method.last4)


def _charged(c: Context) -> CardLabel | None:
    last = c.s.charges[-1] if c.s.charges else None
    return (
        CardLabel(last.card_brand, last.card_last4) if last and last.card_brand and last.card_last4 else None
    )


def _others(c: Context) -> list[Owed]:
    """What somebody has stopped is not brought up."""
    account = c.s.account

    def is_told(case: Case) -> bool:
        return case.invoice != c.ref and not standing(account, case).hold

    owed = [account.invoices[case.invoice] for case in account.open_cases() if is_told(case)]
    return [Owed(each.number, Money(each.amount_remaining, each.currency)) for each in owed]
