"""What holds after somebody has said something: for them to read at once, from the worker's own plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from console.cases import Coming, coming, ends_at
from console.file import Held
from console.view import View
from console.words import LEVELS, REASONS, step_title
from dunning.access import Access
from dunning.account import Case
from dunning.instructions import Instruction, Verb


@dataclass(frozen=True, slots=True)
class Effect:
    """`holds` is a sentence. `access_until` is when access ends by itself, or None where it does not."""

    customer: str
    case: str | None
    verb: Verb
    holds: str
    access: Access
    access_until: datetime | None
    withheld: tuple[Held, ...]
    coming: tuple[Coming, ...]


def effect_of(view: View, told: Instruction, zone: tzinfo) -> Effect:
    """The effect of `told`, which the view knows of already. Days are named as in `zone`, the merchant's."""
    cases = [view.account.cases[told.case]] if told.case else list(view.account.open_cases())
    refs = {case.invoice for case in cases}
    until = min(filter(None, (ends_at(view, case) for case in cases)), default=None)
    return Effect(
        customer=view.account.customer.ref,
        case=told.case,
        verb=told.verb,
        holds=_holds(told, view, until, zone),
        access=view.planned.access,
        access_until=until,
        withheld=tuple(
            Held(item.key, step_title(item.key), item.reason)
            for item in view.planned.withheld
            if item.case in refs or told.case is None
        ),
        coming=tuple(_coming(view, cases)),
    )


def _coming(view: View, cases: list[Case]) -> list[Coming]:
    every = [step for case in cases for step in coming(view, case)]
    return sorted(every, key=lambda step: (step.at, step.step))


def _holds(told: Instruction, view: View, access_until: datetime | None, zone: tzinfo) -> str:
    what = f"the case of {told.case}" if told.case else f"customer {view.account.customer.ref}"
    return _sentence(told, what, access_until, zone) + f" Access: {access_in_words(view.planned.access)}."


def access_in_words(access: Access) -> str:
    return f"{LEVELS[access.level]}, because {REASONS[access.reason]}"


def _sentence(told: Instruction, what: str, access_until: datetime | None, zone: tzinfo) -> str:
    if told.verb is Verb.EXTEND and access_until is None:
        return f"{what} has more time."
    day = f"{told.until.astimezone(zone):%Y-%m-%d}" if told.until else "-"
    end = f"{access_until.astimezone(zone):%Y-%m-%d}" if access_until else "-"
    return _SENTENCES[told.verb].format(what=what, day=day, end=end, to=told.to)


_SENTENCES: Mapping[Verb, str] = {
    Verb.STOP: "Nothing is done about {what} until it is resumed or paid.",
    Verb.PAUSE: "Nothing is done about {what} until {day} is over.",
    Verb.EXCLUDE: "Nothing is ever done about {what}, now or later, until it is resumed.",
    Verb.RESUME: "The program goes on with {what}.",
    Verb.EXTEND: "Access in {what} ends on {end} at the earliest.",
    Verb.FORGIVE: "The debt is dropped, and what was taken for it is given back.",
    Verb.HAND_OVER: "{to} has {what} now: the program is silent and reminds them.",
    Verb.PROMISE: "The customer pays by {day}: until a day after it, mails, charges and the end wait.",
    Verb.ACKNOWLEDGE: "The calls for {what} have been seen: they are not repeated.",
    Verb.NAME_PAYER: "Somebody else is to pay {what}: the address on file is asked to confirm it.",
    Verb.CONFIRM_PAYER: "Mails about {what} go to the address that was named.",
    Verb.ADDRESS_WORKS: "Mails to {what} go again to the addresses that are known.",
    Verb.FORGET: "Who {what} is has been forgotten; nothing is done about them by itself.",
    Verb.REMEMBER: "Who {what} is may be known again, once the provider says it.",
}
