"""Whether an instruction may be given: refusal(...) -> why not, with its cure, or None.

What nobody would notice, because it changes nothing, is refused as well: whoever said it believes otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from dunning.account import Account, Case, Outcome
from dunning.case import situation
from dunning.forgetting import is_forgotten
from dunning.instructions import Instruction, Verb
from dunning.payer import why_not_confirmed, why_not_named
from dunning.reach import anything_returned, recipient
from dunning.requests import Code, Refusal
from dunning.segments import PolicySource
from dunning.standing import broken_promises, holding, standing
from dunning.steps import PAYER_CONFIRMATION, History, Kind

LONGEST_PAUSE = timedelta(days=90)
# The last day of a span counts to its end.
A_DAY = timedelta(days=1)

OF_A_CUSTOMER = frozenset({Verb.EXCLUDE, Verb.ADDRESS_WORKS, Verb.FORGET, Verb.REMEMBER})
OF_A_CASE = frozenset(Verb) - OF_A_CUSTOMER - {Verb.PAUSE, Verb.RESUME}
# Money is no secret of the person's.
SAID_OF_FORGOTTEN = frozenset({Verb.FORGIVE, Verb.FORGET, Verb.REMEMBER})
# A person may still drop a debt that was given up already: only that gives access back.
FORGIVABLE = frozenset({Outcome.VOIDED, Outcome.WRITTEN_OFF})


@dataclass(frozen=True, slots=True)
class _Asked:
    """An instruction with all that its check looks at. `told.case` is in the account, where there is one."""

    account: Account
    history: History
    policies: PolicySource
    told: Instruction
    now: datetime
    zone: tzinfo

    def day(self, moment: datetime | None) -> str:
        """As whoever works in the zone reads it."""
        return f"{moment.astimezone(self.zone):%Y-%m-%d}" if moment else "-"

    def said(self, earlier: Instruction) -> str:
        until = f" until {self.day(earlier.until)}" if earlier.until else ""
        verb = _name(earlier.verb).lower()
        return f"{earlier.by} said {verb}{until} on {self.day(earlier.at)} ({earlier.why})"

    @property
    def case(self) -> Case:
        return self.account.cases[self.told.case or ""]


def refusal(
    account: Account,
    history: History,
    policies: PolicySource,
    told: Instruction,
    now: datetime,
    zone: tzinfo = UTC,
) -> Refusal | None:
    """Why `told` cannot be given at `now`, and what to do instead. The account must be settled.

    Sentences name days as they are in `zone`, the merchant's.
    """
    asked = _Asked(account, history, policies, told, now, zone)
    if silent := nobody_says(told.by, told.why):
        return silent
    if told.case is None and told.verb in OF_A_CASE:
        return Refusal(f"{_name(told.verb)} is said of one case: name its invoice (in_123).")
    if told.case is not None and told.verb in OF_A_CUSTOMER:
        return Refusal(
            f"{_name(told.verb)} is said of a whole customer: stop the case instead, or name the customer."
        )
    if is_forgotten(account.instructions) and told.verb not in SAID_OF_FORGOTTEN:
        return Refusal(
            "The customer was forgotten, so nothing is done about them: "
            "`dunning forget CUSTOMER --lift` ends that."
        )
    if told.case is not None and (wrong := _of_case(asked)):
        return wrong
    check = CHECKS.get(told.verb)
    return check(asked) if check else None


def nobody_says(by: str, why: str) -> Refusal | None:
    """What is missing of whoever says something, or of their reason, or None."""
    if not by.strip():
        return Refusal("It must be known who says so: give a name.")
    if not why.strip():
        return Refusal("It must be known why: give a reason for whoever asks later.")
    return None


def _of_case(asked: _Asked) -> Refusal | None:
    told, case = asked.told, asked.account.cases.get(asked.told.case or "")
    if case is None:
        return Refusal(
            f"There is no case of {told.case}: `dunning case list --open` has those that want money."
        )
    if case.is_open or (told.verb is Verb.FORGIVE and case.outcome in FORGIVABLE):
        return None
    closed = f"The case of {case.invoice} was closed on {asked.day(case.closed_at)}"
    if case.outcome is Outcome.FORGIVEN:
        text = f"{closed}: it was forgiven. Nothing is asked of the customer any more."
    elif told.verb is Verb.FORGIVE:
        text = f"{closed} ({case.outcome}): there is no debt left. A refund is made at the provider."
    else:
        text = f"{closed} ({case.outcome}): nothing is done about it any more, so there is nothing to change."
    return Refusal(text, Code.CASE_CLOSED)


# one check a verb


def _stop(asked: _Asked) -> Refusal | None:
    held = [each for each in _holding(asked) if each.verb in (Verb.STOP, Verb.EXCLUDE)]
    if not held:
        return None
    said = asked.said(held[-1])
    return Refusal(f"Nothing is done already: {said}. Resume it first to say it anew.", Code.ALREADY_SO)


def _pause(asked: _Asked) -> Refusal | None:
    told = asked.told
    if told.until is None:
        return Refusal("A pause needs its end: give a date, or a number of days.")
    if told.until <= asked.now:
        return Refusal(f"{asked.day(told.until)} has passed: give a date to come.")
    if told.until > asked.now + LONGEST_PAUSE + A_DAY:
        return Refusal(f"A pause lasts {LONGEST_PAUSE.days} days at most: give an earlier date, or stop it.")
    for held in reversed(_holding(asked)):
        if held.verb in (Verb.STOP, Verb.EXCLUDE):
            return Refusal(f"Nothing is done until it is resumed: {asked.said(held)}. Resume it first.")
        if held.until and held.until >= told.until:
            said = asked.said(held)
            return Refusal(
                f"It is paused for as long already: {said}. Resume it first to shorten that.", Code.ALREADY_SO
            )
    return None


def _resume(asked: _Asked) -> Refusal | None:
    if _holding(asked):
        return None
    if asked.told.case and (wider := holding(asked.account, None, asked.now)):
        return Refusal(f"{asked.said(wider[-1])}: that is of the whole customer, so resume the customer.")
    nothing = "Nothing is stopped, paused or handed over: there is nothing to resume."
    return Refusal(nothing, Code.ALREADY_SO)


def _extend(asked: _Asked) -> Refusal | None:
    told, policy = asked.told, asked.policies.of(asked.case)
    if told.span is None or told.span <= timedelta(0):
        return Refusal("An extension needs its length: give a number of days.")
    if told.span > policy.extension:
        return Refusal(
            f"The policy extends a case by {_days(policy.extension)} at most: give fewer, or pause it."
        )
    before = standing(asked.account, asked.case).extension
    if before:
        return Refusal(
            f"The case was extended by {_days(before)} already, and once is all. Pause it, or hand it over."
        )
    return _end_is_fixed(asked)


def _promise(asked: _Asked) -> Refusal | None:
    told, policy = asked.told, asked.policies.of(asked.case)
    if policy.promise_within is None:
        return Refusal("The policy takes no promises: extend the case, or pause it.")
    if told.until is None:
        return Refusal("A promise needs its day: give a date, or a number of days.")
    if told.until <= asked.now:
        return Refusal(f"{asked.day(told.until)} has passed: give a date to come.")
    if told.until > asked.now + policy.promise_within + A_DAY:
        reach = _days(policy.promise_within)
        return Refusal(f"A promise reaches {reach} ahead at most: give an earlier date, or pause it.")
    broken = broken_promises(asked.account, asked.now)
    if broken:
        latest = broken[-1]
        return Refusal(
            f"The customer promised to pay {latest.case} by {asked.day(latest.until)} and did not: "
            "no further promise is taken. Extend the case, or hand it over."
        )
    standing_one = standing(asked.account, asked.case).promise
    if standing_one and standing_one.until:
        return Refusal(
            f"The customer has promised to pay by {asked.day(standing_one.until)}: one promise at a time."
        )
    return _end_is_fixed(asked)


def _end_is_fixed(asked: _Asked) -> Refusal | None:
    """Why no word moves the end of access any more."""
    s = situation(asked.account, asked.case)
    if s.first_payment:
        return Refusal("It is a first payment: nothing was granted, so there is no end to move.")
    if asked.case.taken_at:
        return Refusal("Access has ended already: a payment gives it back, or forgive the debt.")
    if s.subscription.stopped_for_nonpayment or s.subscription.ended:
        return Refusal(
            f"The provider has ended it ({s.subscription.status}): whether it goes on is decided there."
        )
    return None


def _hand_over(asked: _Asked) -> Refusal | None:
    if not asked.told.to:
        return Refusal("Somebody has to take it over: give their name.")
    owner = standing(asked.account, asked.case).owner
    if owner != asked.told.to:
        return None
    text = f"{owner} has it already: hand it to somebody else, or resume it."
    return Refusal(text, Code.ALREADY_SO)


def _acknowledge(asked: _Asked) -> Refusal | None:
    calls = [e for e in asked.history.values() if e.case == asked.told.case and e.kind is Kind.TEAM]
    if not calls:
        return Refusal("Nobody has been called for this case, so there is no call to acknowledge.")
    seen = standing(asked.account, asked.case).acknowledged_at
    if seen and seen >= max(effect.created_at for effect in calls):
        text = f"Every call was acknowledged on {asked.day(seen)}: there is none since."
        return Refusal(text, Code.ALREADY_SO)
    return None


def _forget(asked: _Asked) -> Refusal | None:
    """An open case has to be closed first, or its loss accepted: `worker.usecases.forget` asks for that."""
    if is_forgotten(asked.account.instructions):
        return Refusal("The customer was forgotten already.", Code.ALREADY_SO)
    return None


def _remember(asked: _Asked) -> Refusal | None:
    if is_forgotten(asked.account.instructions):
        return None
    return Refusal("The customer was not forgotten: there is nothing to lift.", Code.ALREADY_SO)


def _no(text: str | None) -> Refusal | None:
    return Refusal(text) if text else None


def _name_payer(asked: _Asked) -> Refusal | None:
    found = _no(why_not_named(asked.account, asked.told, asked.now))
    if found or recipient(asked.account, asked.history, asked.told.case or "", PAYER_CONFIRMATION):
        return found
    return Refusal("Mails to the address on file come back, so it could confirm nobody: correct it first.")


def _address_works(asked: _Asked) -> Refusal | None:
    if anything_returned(asked.account, asked.history):
        return None
    text = "No mail to this customer has come back since somebody said so last: there is nothing to change."
    return Refusal(text, Code.ALREADY_SO)


CHECKS: Mapping[Verb, Callable[[_Asked], Refusal | None]] = {
    Verb.STOP: _stop,
    Verb.EXCLUDE: _stop,
    Verb.PAUSE: _pause,
    Verb.RESUME: _resume,
    Verb.EXTEND: _extend,
    Verb.PROMISE: _promise,
    Verb.HAND_OVER: _hand_over,
    Verb.ACKNOWLEDGE: _acknowledge,
    Verb.ADDRESS_WORKS: _address_works,
    Verb.NAME_PAYER: _name_payer,
    Verb.FORGET: _forget,
    Verb.REMEMBER: _remember,
    Verb.CONFIRM_PAYER: lambda asked: _no(why_not_confirmed(asked.account, asked.told, asked.now)),
}


def _holding(asked: _Asked) -> list[Instruction]:
    case = asked.case if asked.told.case else None
    held = holding(asked.account, case, asked.now)
    if asked.told.verb is Verb.RESUME and case:
        # Only a word about the whole customer ends what was said of all of it.
        return [each for each in held if each.case is not None]
    return held


def _name(verb: Verb) -> str:
    return verb.value.replace("_", " ").capitalize()


def _days(span: timedelta) -> str:
    days = round(span / A_DAY, 1)
    return "1 day" if days == 1 else f"{days:g} days"
