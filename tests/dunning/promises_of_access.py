"""Access is limited or taken only in time, in office hours, after a warning, and from somebody who owes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dunning.account import Case
from dunning.instructions import Verb
from dunning.results import Result
from dunning.steps import Effect, Step
from sandbox.stripe.records import Invoice
from tests.dunning.held import deadline_moved_at, extension, holds

if TYPE_CHECKING:
    from tests.dunning.life import Life

WARNED_BEFORE = timedelta(hours=72)
A_DAY = timedelta(days=1)
# What a service says of a mail that nobody has read.
NOT_ARRIVED = frozenset({Result.HARD_BOUNCE, Result.SOFT_BOUNCE, Result.UNDELIVERED})


def access_is_ours_to_take(life: Life, step: Step) -> None:
    policy, now, case = life.promised, life.now, life.account.cases[step.case]
    truth = life.story.engine.get(Invoice, step.case)
    assert truth.status not in ("paid", "void"), "access was taken for a settled invoice"
    assert policy.revocation_hours.open_at(now, policy.zone, policy.holidays), "taken outside of office hours"
    held = holds(life.account, case, now)
    assert not held, f"access was taken though {held}"
    assert not _elsewhere(life, case), "taken from somebody with another subscription that is paid"
    if step.key.startswith("restriction:"):
        _limited(life, step)
    else:
        _ended(life, step)


def _limited(life: Life, step: Step) -> None:
    """Some days before the end, and known of for three days."""
    policy, now, case = life.promised, life.now, life.account.cases[step.case]
    after = policy.limited_after
    assert after is not None, "limited, which the policy does not know"
    assert now >= life.story.first_failure(step.case) + after + extension(life.account, case), (
        "limited too soon"
    )
    told = [at for at, mail in life.done.mails if mail.case == step.case and _accepted(life, mail)]
    assert told, "limited without a mail"
    assert now - min(told) >= WARNED_BEFORE, "limited too soon after the first mail"


def _ended(life: Life, step: Step) -> None:
    policy, now, case = life.promised, life.now, life.account.cases[step.case]
    first_failure = life.story.first_failure(step.case)
    assert now >= first_failure + policy.grace + extension(life.account, case), "taken before grace ended"
    if policy.grace_from == "final_failure":
        charges = life.account.charges_of(step.case)
        scheduled = len(charges) == life.account.invoices[step.case].attempt_count
        assert not scheduled or now >= charges[-1].at + policy.grace, "taken before grace ended"
    _warned(life, case)
    _seen(life, case)


def _warned(life: Life, case: Case) -> None:
    moved_at = deadline_moved_at(life.account, case, life.promised)
    warned = [
        at
        for at, mail in life.done.mails
        if mail.name == "final_warning" and mail.case == case.invoice and _accepted(life, mail)
        if moved_at is None or mail.created_at >= moved_at
    ]
    assert warned, "taken without an accepted warning"
    assert life.now - min(warned) >= WARNED_BEFORE, "taken too soon after the warning"


def _seen(life: Life, case: Case) -> None:
    """A valuable customer loses nothing before a person has seen that it is coming."""
    policy = life.promised
    invoice = life.account.invoices[case.invoice]
    least = policy.high_value.get(invoice.currency)
    if least is None or invoice.amount_remaining < least:
        return
    if not (policy.acknowledge_high_value and policy.last_call):
        return
    called = [at for at, step in life.done.steps if step.key == f"escalation:{case.invoice}:last_call"]
    seen = [
        told.at
        for told in life.account.instructions
        if told.verb in (Verb.ACKNOWLEDGE, Verb.HAND_OVER) and told.case in (None, case.invoice)
    ]
    assert called, "a valuable customer lost access without a call"
    assert max(seen, default=called[0] - A_DAY) >= called[0], "a valuable customer lost access unseen"


def _accepted(life: Life, mail: Effect) -> bool:
    told = life.done.told.get(mail.key, set())
    taken = life.history[mail.key].status == "sent" or Result.DELIVERED in told
    if not taken or told & (NOT_ARRIVED | {Result.COMPLAINT}):
        return False
    return Result.DELIVERED in told or not _address_is_dead(life, mail)


def _address_is_dead(life: Life, mail: Effect) -> bool:
    """Whether another mail has bounced from there, and nobody had said in between that it works."""
    words = [told.at for told in life.account.instructions if told.verb is Verb.ADDRESS_WORKS]
    to = next(address for _, key, address in life.done.sent_to if key == mail.key)
    return any(
        Result.HARD_BOUNCE in life.done.told.get(key, set())
        and address == to
        and not any(at <= word <= mail.created_at for word in words)
        for at, key, address in life.done.sent_to
    )


def _elsewhere(life: Life, case: Case) -> bool:
    """Whether they have another subscription that is known to be good, and of which every invoice is paid."""
    return any(
        other.ref != case.subscription
        and other.status in ("active", "trialing")
        and all(_known_paid(life, each) for each in life.story.invoices() if each.subscription == other.ref)
        for other in life.account.subscriptions.values()
    )


def _known_paid(life: Life, invoice: Invoice) -> bool:
    known = life.account.invoices.get(invoice.id)
    return invoice.status == "draft" or bool(invoice.status == "paid" and known and known.paid_at)
