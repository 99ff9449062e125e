"""A case lived through by itself: whatever is due is done at its time, and every mail is accepted at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dunning.account import Account
from dunning.case import settle
from dunning.defaults import default_book
from dunning.events import CustomerFact
from dunning.fold import empty, fold
from dunning.instructions import Instruction
from dunning.policy import Policy
from dunning.segments import PolicySource
from dunning.steps import Effect, Kind, Step
from tests.dunning.builders import (
    CUSTOMER,
    charge,
    customer,
    day,
    failed,
    invoice,
    ledger,
    subscription,
)
from tests.dunning.more_builders import BERLIN, after
from worker.usecases.deciding import take_due_steps

Told = CustomerFact | Instruction
# What is heard on a day.
Timeline = list[tuple[float, list[Told]]]
# The first failure of a schedule, in days of the builders: Monday 9 March 2026, 10:00 in Berlin.
MONDAY = 8.0
SCHEDULE = (0, 3, 5, 7)
MOMENT = re.compile(r"\d{8}T\d{6}")
WORDS = {
    Kind.MAIL: "mail",
    Kind.TEAM: "call",
    Kind.ACCESS: "access",
    Kind.RETRY: "charge",
    Kind.END: "provider",
}


@dataclass
class Walk:
    """From one thing that is due, or heard, to the next."""

    policies: PolicySource
    account: Account = field(default_factory=lambda: empty("stripe", CUSTOMER))
    history: dict[str, Effect] = field(default_factory=dict)
    taken: list[tuple[datetime, Step]] = field(default_factory=list)
    first: datetime = field(init=False)

    def live(self, timeline: Timeline, until: float) -> Walk:
        news = sorted(((day(at), [*told]) for at, told in timeline), key=lambda entry: entry[0])
        now = self.first = news[0][0]
        while now <= day(until):
            while news and news[0][0] <= now:
                self.hear(news.pop(0)[1])
            due = self.enact(now)
            coming = [at for at, _ in news[:1]] + ([due] if due else [])
            if not coming:
                break
            now = min(coming)
        return self

    def hear(self, told: list[Told]) -> None:
        for each in told:
            if isinstance(each, Instruction):
                self.account = after(self.account, each)
            else:
                self.account = fold(self.account, each)
        self.account = settle(self.account, self.policies)

    def enact(self, now: datetime) -> datetime | None:
        """Do what is due, and say when the next thing is."""
        cases = set(self.account.cases)
        while True:
            self.account, planned, steps = take_due_steps(
                self.account, self.history, self.policies, now, cases
            )
            if not steps:
                break
            for step in steps:
                self.taken.append((now, step))
                if step.kind is not Kind.ACCESS:
                    self.history[step.key] = Effect(
                        step.key, step.kind, step.name, step.case, "sent", now, now
                    )
        return min((step.due_at for step in planned.steps if step.due_at > now), default=None)

    def calendar(self, zone: ZoneInfo = BERLIN) -> list[str]:
        """A line a step: the day counted from the first, the local time, and what was done."""
        first = self.first.astimezone(zone).date()
        lines = []
        for at, step in self.taken:
            local = at.astimezone(zone)
            number = (local.date() - first) // timedelta(days=1)
            lines.append(f"{number:2} {local:%a %H:%M} {WORDS[step.kind]} {_what(step)}")
        return lines


def _what(step: Step) -> str:
    """`payment_failed 2` rather than `payment_failed:in_1:2`; a warning of an end that has moved is anew."""
    if step.kind is not Kind.MAIL:
        return step.name
    parts = [part for part in step.key.split(":") if not part.startswith(("in_", "sub_"))]
    return " ".join("anew" if MOMENT.fullmatch(part) else part for part in parts)


def charged(code: str, *, real: bool = True, **plan: Any) -> Timeline:
    """Stripe's schedule: four positions, and a charge at each if it is `real`, else at the first alone."""
    told: Timeline = []
    for number, days in enumerate(SCHEDULE, start=1):
        at = MONDAY + days
        facts: list[Told] = [invoice(at, attempt_count=number), failed(at, number), ledger(number)]
        if real or number == 1:
            facts.append(charge(at, code))
        told.append((at, [customer(0, country="DE"), *facts, subscription(at, **plan)]))
    return told


def blocked(code: str, **plan: Any) -> Timeline:
    return charged(code, real=False, **plan)


def lines(*calendars: str) -> list[str]:
    """A calendar written down in pieces."""
    return [line for calendar in calendars for line in calendar.strip("\n").splitlines()]


def lived(timeline: Timeline, policy: PolicySource | None = None, *, zone: ZoneInfo = BERLIN) -> list[str]:
    """Sixty days of it, by the default policies if no other is given."""
    return Walk(policy or default_book(Policy())).live(timeline, 60).calendar(zone)
