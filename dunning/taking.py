"""Carry out a plan, step by step: what is due is taken until nothing is, and time goes on to what comes next.

The worker takes what is due at one moment; a forecast and a replay live on from there by the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from dunning.account import Account
from dunning.case import settle
from dunning.plan import Look, Outlook
from dunning.receipts import with_access_taken
from dunning.segments import PolicySource
from dunning.steps import Effect, Kind, Plan, Step
from dunning.values import changed, lean

Allowed = Callable[[Account, Step], bool]

# No life has so many moments; a rule that plans without end must not hang a command.
MOST_MOMENTS = 2_000


@lean
@dataclass(frozen=True, slots=True)
class Moment:
    """What was done at `at`, in order, the account after it, and what it leaves to be done.

    A step of `taken` is due at `at`, and wanted since it had become due.
    """

    at: datetime
    account: Account
    look: Look
    taken: tuple[Step, ...]
    outlook: Outlook

    @property
    def plan(self) -> Plan:
        return self.look.plan(self.at)


def take_due(
    account: Account,
    history: MutableMapping[str, Effect],
    policies: PolicySource,
    now: datetime,
    allowed: Allowed,
    *,
    accepted: bool = False,
    outlook: Outlook | None = None,
) -> Moment:
    """Take what is due and `allowed`, one step at a time until nothing is; `history` is written on.

    A step may call for the next (access taken, its mail) or put another off: of two mails that are due to one
    person at the same moment, the second waits for its gap. With `accepted` every step has arrived at once.

    `outlook` is the one that an earlier moment left, if nothing was learned since.
    """
    taken: list[Step] = []
    outlook = outlook or Outlook(account, history, policies)
    while True:
        look = outlook.look(now)
        step = next((each for each in look.due(now) if allowed(account, each)), None)
        if step is None:
            return Moment(now, account, look, tuple(taken), outlook)
        status, accepted_at = ("sent", now) if accepted else ("pending", None)
        effect = Effect(step.key, step.kind, step.name, step.case, status, now, accepted_at)
        history[step.key] = effect
        if step.kind is Kind.ACCESS:
            account = with_access_taken(account, step, now, look.level)
            outlook.taken(effect, account)
        else:
            outlook.done(effect)
        taken.append(step.moved(now, min(step.wanted_at or step.due_at, step.due_at)))


def live(
    account: Account,
    history: MutableMapping[str, Effect],
    policies: PolicySource,
    now: datetime,
    *,
    news: Iterable[tuple[datetime, Account]] = (),
    allowed: Allowed = lambda account, step: True,
) -> Iterator[Moment]:
    """Every moment from `now` on at which something is due or known, if each step arrives as it is taken.

    `news` are later states of what is known, in order; cases and what was taken in them carry over. Rules are
    asked only then, since nothing can change in between. Ends when nothing is left to be done or known.
    """
    coming = iter(news)
    fresh = next(coming, None)
    outlook: Outlook | None = None
    for _ in range(MOST_MOMENTS):
        moment = take_due(account, history, policies, now, allowed, accepted=True, outlook=outlook)
        account, outlook = moment.account, moment.outlook
        yield moment
        due_at = next(
            (step.due_at for step in moment.look.steps if step.due_at > now and allowed(account, step)), None
        )
        if fresh and (due_at is None or fresh[0] <= due_at):
            now, account = fresh[0], settle(learned(fresh[1], account), policies)
            outlook.learned(account)
            fresh = next(coming, None)
        elif due_at:
            now = due_at
        else:
            return


def learned(known: Account, before: Account) -> Account:
    """A later state of what is known, with the cases of before."""
    return changed(known, cases=MappingProxyType(dict(before.cases)))
