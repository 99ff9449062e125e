"""Notices that a payment is open: a ladder of days by the kind of failure, apart from the attempts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from dunning.declines import Category
from dunning.durations import in_words
from dunning.rules.context import Context
from dunning.rules.rule import reads
from dunning.steps import FINAL_WARNING, Effect, Kind, Step, Withheld, hours

# Mails that tell a person of all that is open, so that a rung due before them is told.
TELLING = frozenset({"payment_failed", FINAL_WARNING})
# For the first of a person's invoices to be charged again with what they gave us.
NEW_METHOD_PAUSE = timedelta(days=3)
# A passing fault that has happened so often is none.
TRANSIENT_ATTEMPTS = 3


@reads(Kind.MAIL, Kind.RETRY)
def notices(c: Context) -> Iterator[Step | Withheld]:
    """One mail a rung, the newest rung only, at most one mail in 48 hours whatever it is about."""
    rungs = c.terms.rungs
    if c.s.decline.category is Category.PROCESSING_ERROR and c.failed_attempts >= TRANSIENT_ATTEMPTS:
        rungs = [min(rung, c.failed_at) for rung in rungs[:1]] + rungs[1:]
    excuse = why_no_notice(c)
    contact = c.s.case.first_contact_at
    for number, rung in enumerate(rungs, start=1):
        key = c.anew(f"payment_failed:{c.ref}:{number}")
        if key in c.history:
            continue
        later = rungs[number] if number < len(rungs) else None
        if later and ((contact and later <= contact) or c.has_come(later)):
            yield c.withhold(key, "a later mail tells it")
        elif number == 1 and _told_before(c, key):
            yield c.withhold(key, "a mail has told it already")
        elif excuse:
            yield c.withhold(key, excuse)
        else:
            yield _told_or_due(c, key, c.from_contact(rung), _reason(c, number, rung))
    changed, key = c.s.needs_customer_since, c.anew(f"payment_failed:{c.ref}:new_reason")
    if changed and excuse:
        yield c.withhold(key, excuse)
    elif changed:
        yield _told_or_due(c, key, c.from_contact(changed), "only the customer can mend what fails now")
    if not rungs:
        yield c.withhold(f"payment_failed:{c.ref}:1", never_told(c.s.decline.category))


def _told_before(c: Context, key: str) -> bool:
    """The first rung has to say that there is a failure, and some other mail of the case has said so."""
    return any(effect.name in TELLING and effect.key != key for effect in c.mails_of_case)


def _reason(c: Context, number: int, rung: datetime) -> str:
    days = c.terms.waits[number - 1]
    if c.from_contact(rung) > rung:
        return f"mail {number} of the ladder, on the customer's turn after the takeover"
    if number == 1 and days and c.s.decline.category is Category.PROCESSING_ERROR:
        return "a processing error usually passes, so it is told only if it lasts"
    when = f"{in_words(days)} after" if days else "at"
    return f"mail {number} of the ladder, {when} the first failure"


def never_told(category: Category) -> str:
    """Why the customer hears nothing of a failure for which the policy has no mail."""
    if category is Category.FRAUD:
        return "it may be fraud: a person decides, the customer hears nothing"
    if category is Category.MERCHANT_SIDE:
        return "the fault is on our side, the customer can do nothing about it"
    return "the policy has no mail for this kind of failure"


def _told_or_due(c: Context, key: str, due_at: datetime, reason: str) -> Step | Withheld:
    told_at = max((_at(e) for e in c.mails if e.key != key and _tells(c, e)), default=None)
    if told_at and told_at >= due_at:
        return c.withhold(key, "a mail since then has told it")
    changed_at = c.s.account.customer.method_changed_at
    if changed_at and changed_at > c.s.last_failed_at and changed_at + NEW_METHOD_PAUSE > due_at:
        due_at = changed_at + NEW_METHOD_PAUSE
        reason += "; a new payment method has to be charged first"
    latest = max((_at(e) for e in c.mails if e.key != key), default=None)
    if latest and latest + c.policy.mail_gap > due_at:
        due_at = latest + c.policy.mail_gap
        reason += f"; at most one mail in {hours(c.policy.mail_gap)} h"
    return c.mail(key, "payment_failed", due_at, reason)


def _tells(c: Context, mail: Effect) -> bool:
    """Whether this mail spoke of our invoice too: one mail names all that is owed in one currency."""
    about = c.s.account.invoices.get(mail.case)
    return mail.name in TELLING and about is not None and about.currency == c.s.invoice.currency


def why_no_notice(c: Context) -> str | None:
    """Why nothing of this case is told for now, whatever its ladder says."""
    if c.s.subscription.cancel_at_period_end:
        return "the customer has cancelled already"
    if c.s.invoice.processing_since:
        return "a payment is on its way"
    warned = any(effect.name == FINAL_WARNING for effect in c.mails_of_case)
    if warned or c.has_come(c.grace_ends_at - c.policy.final_warnings[0]):
        return "the final warnings tell it"
    room = c.policy.most_mails - len(c.policy.final_warnings) - 1
    if len(c.mails_of_case) >= room:
        return f"at most {c.policy.most_mails} mails in a case, the warnings and the end among them"
    return None


def _at(effect: Effect) -> datetime:
    return effect.accepted_at or effect.delivered_at or effect.created_at
