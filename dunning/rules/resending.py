"""A mail that the team sends once more: no plan decides it, no reminder counts it, and no end waits for it.

What is repeated is the newest mail of the case, written anew as of now. A final warning is only repeated
while it is still true.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from dunning.case import why_kept
from dunning.reach import recipient
from dunning.rules import first_payment
from dunning.rules.context import Context
from dunning.rules.notices import never_told
from dunning.steps import FINAL_WARNING, RESENT, Effect, Kind

MOST_RESENT = 3
WITHIN = timedelta(days=1)

FIRST_PAYMENT = "first_payment"
REPEATABLE = frozenset({"payment_failed", "access_ended", FIRST_PAYMENT, FINAL_WARNING})


def resent_step(c: Context) -> str:
    """The key of the next repetition: it holds that of the mail which is repeated.

    ValueError where there is none (`why_not_resent` says so).
    """
    return f"{RESENT}:{c.ref}:{len(list(_resent(c))) + 1}:{_newest(c).key}"


def repeated_step(key: str) -> str:
    """The key of the mail that this one repeats."""
    return key.split(":", 3)[3]


def why_not_resent(c: Context) -> str | None:
    """Why nothing can be sent again now, with its cure, or None."""
    try:
        newest = _newest(c)
    except ValueError:
        return "No mail about this case has been sent yet, so there is none to send again."
    if newest.status in ("pending", "sending"):
        return "Its newest mail is on its way: wait until it has been sent."
    if sum(not c.has_come(each.created_at + WITHIN) for each in _resent(c)) >= MOST_RESENT:
        return f"Mails of this case were sent again {MOST_RESENT} times within a day: try again tomorrow."
    if why_not := why_not_any_more(c, newest):
        return why_not
    if c.s.account.customer.deleted or not recipient(c.s.account, c.history, c.ref, newest.name):
        return "There is no address to send it to: set one at the provider."
    return None


def why_not_any_more(c: Context, repeated: Effect) -> str | None:
    """Why this mail, written anew, would not be true any more; asked again right before it is sent."""
    if not c.s.case.is_open:
        return "The case is closed: nothing is asked of the customer any more."
    if c.s.invoice.processing_since:
        return "A payment is on its way: wait for what comes of it."
    if c.unreachable_since:
        return "Mails to the customer come back: correct their address at the provider."
    if not c.terms.waits:
        return f"This failure is not told of: {never_told(c.s.decline.category)}."
    if repeated.name == FIRST_PAYMENT and (over := first_payment.why_not(c)):
        return f"Nobody is reminded of this first payment any more: {over}."
    if repeated.name != FINAL_WARNING:
        return None
    quiet = c.said.quiet_until is not None and not c.has_come(c.said.quiet_until)
    if kept := c.said.hold or (quiet and c.said.quiet_why) or why_kept(c.s):
        return f"The warning names an end of access that nobody brings about for now: {kept}."
    if c.terms.moved_at and repeated.created_at < c.terms.moved_at:
        return (
            "The end of access has moved since that warning: the customer is warned of the new one in time."
        )
    return None


def _newest(c: Context) -> Effect:
    """The last of the case's mails that went out, or should have."""
    told = [each for each in c.done.values() if each.kind is Kind.MAIL and each.name in REPEATABLE]
    return max((each for each in told if each.status != "suppressed"), key=lambda each: each.created_at)


def _resent(c: Context) -> Iterator[Effect]:
    return (each for each in c.done.values() if each.name == RESENT)
