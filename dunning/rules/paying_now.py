"""A charge that the customer asks for on their page: whether it may be made, and how often.

No plan decides it. Whoever asks is there, so Stripe's schedule, promises and pauses stand in nobody's way;
the bank's refusal and the networks' ceilings do.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from dunning.declines import Category
from dunning.ledger import attempts_on_card, ceilings
from dunning.rules.context import Context
from dunning.rules.new_method import method_changed_at
from dunning.steps import ASKED, ASKED_ANEW, Effect, Kind

A_DAY = timedelta(days=1)
# Of the card on file: of one customer in a day, of one invoice ever.
MOST_A_DAY = 3
MOST_AN_INVOICE = 5
# Of cards given anew, in a day: enough for whoever has several, too few to try out stolen ones.
MOST_NEW_A_DAY = 5
# Nobody is charged for a click of long ago, whatever kept us from it meanwhile.
GOOD_FOR = timedelta(hours=1)


class Refusal(StrEnum):
    """Why a charge that is asked for is not made."""

    SETTLED = "settled"
    ON_ITS_WAY = "on_its_way"
    FOR_US = "for_us"
    NEEDS_BANK = "needs_bank"
    NEEDS_METHOD = "needs_method"
    ENOUGH_TODAY = "enough_today"
    ENOUGH = "enough"


def refusal(c: Context) -> Refusal | None:
    """Why what is on file cannot be charged now, or None: it may be tried."""
    return _not_payable(c) or _not_by_this_card(c) or _too_often(c)


def refusal_anew(c: Context) -> Refusal | None:
    """Why a method that was given a moment ago cannot be charged now, or None."""
    if why := _not_payable(c):
        return why
    given = [effect for effect in _asked(c) if effect.name == ASKED_ANEW]
    return Refusal.ENOUGH_TODAY if _recent(given, c.now) >= MOST_NEW_A_DAY else None


def in_flight(c: Context) -> str | None:
    """The key of a charge of this invoice that is being made at this moment."""
    return next(
        (e.key for e in c.done.values() if e.kind is Kind.RETRY and e.status in ("pending", "sending")), None
    )


def asked_key(c: Context, click: str) -> str:
    """Two clicks of one form are one charge: `click` is the form's own random part."""
    return f"retry:{c.ref}:{ASKED}:{click}"


def why_not_any_more(c: Context, asked: Effect) -> str | None:
    """Why a charge that was asked for is not made after all, or None: go ahead."""
    if _not_payable(c) is Refusal.SETTLED:
        return "there is nothing left to pay"
    if c.now > asked.created_at + GOOD_FOR:
        return "it was asked for too long ago"
    return None


def _not_payable(c: Context) -> Refusal | None:
    if not c.s.case.is_open or c.s.invoice.settled:
        return Refusal.SETTLED
    if c.s.invoice.processing_since:
        return Refusal.ON_ITS_WAY
    return None


def _not_by_this_card(c: Context) -> Refusal | None:
    decline = c.s.decline
    if decline.category is Category.MERCHANT_SIDE:
        return Refusal.FOR_US
    if method_changed_at(c):
        return None
    if decline.category is Category.AUTHENTICATION_REQUIRED:
        return Refusal.NEEDS_BANK
    debit = decline.category is Category.BANK_DEBIT_FAILED
    if decline.needs_new_method or not (decline.retried_by_stripe or debit):
        return Refusal.NEEDS_METHOD
    return None


def _too_often(c: Context) -> Refusal | None:
    asked = [effect for effect in _asked(c) if effect.name == ASKED]
    if sum(effect.case == c.ref for effect in asked) >= MOST_AN_INVOICE:
        return Refusal.ENOUGH
    if _recent(asked, c.now) >= MOST_A_DAY:
        return Refusal.ENOUGH_TODAY
    last = c.s.charges[-1] if c.s.charges else None
    used = ceilings(attempts_on_card(c.s.account, last), c.now)
    return Refusal.ENOUGH if not method_changed_at(c) and any(each.reached for each in used) else None


def _asked(c: Context) -> list[Effect]:
    """Of all the customer's invoices, what was or may have been charged because they asked."""
    asked = (effect for effect in c.history.values() if effect.name in (ASKED, ASKED_ANEW))
    return [effect for effect in asked if effect.reached_somebody]


def _recent(effects: Iterable[Effect], now: datetime) -> int:
    return sum(effect.created_at > now - A_DAY for effect in effects)
