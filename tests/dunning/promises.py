"""What is never broken, whatever the policy, the facts and the people: checked against a life from outside.

Nothing here asks a rule: the checks read what was really sent, said and charged, and Stripe's own records.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from dunning.account import Account
from dunning.declines import HARD_DECLINES
from dunning.instructions import Verb
from dunning.results import Result
from dunning.steps import Effect, Kind, Plan, Step
from dunning.zones import zone_of
from tests.dunning.held import FORBIDDING, extension, holds, more_time_since
from tests.dunning.promises_of_access import WARNED_BEFORE, access_is_ours_to_take

if TYPE_CHECKING:
    from tests.dunning.life import Life

A_DAY = timedelta(days=1)
ORDINARY = "payment_failed"
AFTER_PAYMENT = {"payment_recovered", "paid_after_end", "paid_but_stopped", "bought_twice"}
STOPPED = {"unpaid", "paused", "canceled", "incomplete", "incomplete_expired"}
CEILINGS = ((timedelta(days=14), 8), (timedelta(days=30), 15))


@dataclass
class Done:
    """Every step that was taken, every mail that may have been read, every charge of our own; with its time.

    `told` is what was heard of each mail, and `sent_to` the address of each, with its time.
    """

    steps: list[tuple[datetime, Step]] = field(default_factory=list)
    mails: list[tuple[datetime, Effect]] = field(default_factory=list)
    charges: list[datetime] = field(default_factory=list)
    told: dict[str, set[Result]] = field(default_factory=dict)
    sent_to: list[tuple[datetime, str, str]] = field(default_factory=list)


def nobody_is_forgotten(account: Account, found: Plan) -> None:
    """Every open case has something ahead of it, or a reason why it has not, or its access has ended."""
    for case in account.open_cases():
        planned = any(step.case == case.invoice for step in found.steps)
        reasons = any(item.case == case.invoice for item in found.withheld)
        same = [other for other in account.cases.values() if other.subscription == case.subscription]
        subscription = account.subscriptions.get(case.subscription)
        over = any(other.taken_at for other in same) or (subscription and subscription.status in STOPPED)
        assert planned or reasons or over, f"{case.invoice} is open, and nothing is planned or withheld"


def kept_by_step(life: Life, step: Step) -> None:
    """When a step is taken, before it is written down."""
    _once(life, step)
    invoice = life.account.invoices.get(step.case)
    if invoice and invoice.paid_at:
        assert step.name in AFTER_PAYMENT, f"{step.name} after the payment"
    if step.name == ORDINARY:
        _gap(life, life.now)
        _waking_hours(life, step)
        _room(life, step.case)
    if step.kind is Kind.MAIL and step.name != "payment_recovered":
        case = life.account.cases.get(step.case)
        silent = case and step.name != "access_ended" and holds(life.account, case, life.now)
        assert not silent, f"{step.name} was sent though {silent}"
    if step.kind is Kind.ACCESS:
        access_is_ours_to_take(life, step)


def _once(life: Life, step: Step) -> None:
    """Only a limit comes again, after somebody has lifted it by giving more time."""
    before = [at for at, other in life.done.steps if other.key == step.key]
    lifted = before and step.name == "limited" and step.kind is Kind.ACCESS
    case = life.account.cases.get(step.case)
    if lifted and case and more_time_since(life.account, case, before[-1]):
        return
    assert not before, "a step was taken twice"


def kept_by_mail(life: Life, effect: Effect, to: str) -> None:
    """When a mail is handed over."""
    _is_not_lost(life, to)
    life.done.sent_to.append((life.now, effect.key, to))
    invoice = life.account.invoices.get(effect.case)
    if invoice and invoice.paid_at:
        assert effect.name == "payment_recovered", "a mail other than the receipt after the payment"
    if effect.name == ORDINARY:
        _gap(life, life.now)


def _is_not_lost(life: Life, address: str) -> None:
    """No mail has come back from there since somebody said that it works."""
    words = [told.at for told in life.account.instructions if told.verb is Verb.ADDRESS_WORKS]
    for at, key, to in life.done.sent_to:
        lost = life.done.told.get(key, set()) & {Result.HARD_BOUNCE, Result.COMPLAINT}
        assert to != address or not lost or max(words, default=at) > at, "a mail to where one came back from"


def kept_by_charge(life: Life, effect: Effect) -> None:
    """When a card is charged by ourselves."""
    account, invoice = life.account, life.account.invoices[effect.case]
    assert invoice.next_attempt_at is None, "charged although the provider has planned a charge"
    assert not invoice.settled, "charged although it is settled"
    case = account.cases[effect.case]
    assert not holds(account, case, life.now, verbs=FORBIDDING), "charged though somebody held it"
    last = account.charges_of(effect.case)[-1:]
    changed_at = account.customer.method_changed_at
    for charge in last:
        same = changed_at is None or changed_at <= charge.at
        forbidden = charge.decline_code in HARD_DECLINES or charge.advice_code == "do_not_try_again"
        assert not (same and forbidden), f"charged again after {charge.decline_code}"
    made = sorted({*(charge.at for charge in account.charges.values()), *life.done.charges})
    for within, most in CEILINGS:
        recent = [at for at in made if life.now - within < at]
        assert len(recent) < most, f"charge {len(recent) + 1} in {within.days} days"
    fresh = bool(changed_at and all(changed_at > charge.at for charge in last))
    if not fresh and not (last and "processing_error" in (last[0].code, last[0].decline_code)):
        assert not made or life.now - made[-1] >= A_DAY, "two charges within a day"


def _gap(life: Life, now: datetime) -> None:
    for at, other in life.done.mails:
        assert now - at >= life.promised.mail_gap, f"two mails in {now - at}, after {other.key}"


def _room(life: Life, case: str) -> None:
    told = [mail for _, mail in life.done.mails if mail.case == case and mail.name == ORDINARY]
    left = life.promised.most_mails - len(life.promised.final_warnings) - 1
    assert len(told) < left, f"ordinary mail {len(told) + 1} of at most {left}"


def _waking_hours(life: Life, step: Step) -> None:
    policy, zone = life.promised, zone_of(life.account, life.promised.time_zone)
    if policy.mail_hours.open_at(life.now, zone, policy.holidays):
        return
    invoice, case = life.account.invoices[step.case], life.account.cases[step.case]
    charges = life.account.charges_of(step.case)
    confirmation = invoice.action_required or any("authentication" in str(each.code) for each in charges)
    first = not [mail for _, mail in life.done.mails if mail.case == step.case]
    warned = [at for at, mail in life.done.mails if mail.case == step.case and mail.name == "final_warning"]
    grace = case.opened_at + policy.grace + extension(life.account, case)
    # No later than this does access end at the earliest.
    end = max(grace, min(warned, default=life.now) + WARNED_BEFORE)
    late = policy.mail_hours.next_open(life.now, zone, policy.holidays) > end - A_DAY
    assert (confirmation and first) or late, "an ordinary mail outside of waking hours"


def mails_far_enough_apart(life: Life) -> None:
    """Of one person's ordinary mails no two came within the gap, whatever they were about."""
    times = [at for at, mail in life.done.mails if mail.name == ORDINARY]
    for earlier, later in pairwise(times):
        assert later - earlier >= life.promised.mail_gap, "two mails within the gap"
