"""plan(account, history, policy, now) -> Plan: the whole dunning schedule of one customer.

Pure. Which rules look at a case is on this page; the rules are in `dunning.rules`. A step whose key is in the
history was taken already and is never planned again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from operator import attrgetter

from dunning.access import Access, Level, access_of, still_taken
from dunning.account import Account, same_but_for_charges
from dunning.case import Situation, why_kept
from dunning.rules.asking import Answer, Answers
from dunning.rules.context import RESOLUTION, Context, context
from dunning.rules.endings import ending, late_payment, of_same_subscription, over_before_us, recovery
from dunning.rules.escalation import escalation, levels, reminders
from dunning.rules.expiry import end_action, expiry, limited, limited_from, restriction
from dunning.rules.first_payment import first_payment
from dunning.rules.new_method import new_method
from dunning.rules.notices import notices
from dunning.rules.paying_now import why_not_any_more
from dunning.rules.renewals import renewals
from dunning.rules.requested import why_not_requested
from dunning.rules.resending import repeated_step
from dunning.rules.resending import why_not_any_more as why_not_resent_any_more
from dunning.rules.retries import retries
from dunning.rules.returned import unreachable
from dunning.rules.returning import bought_twice, unpaid_on_return
from dunning.rules.rule import Rule
from dunning.rules.terms import Terms, terms
from dunning.rules.warnings import final_warnings
from dunning.segments import PolicySource
from dunning.steps import ASKED, ASKED_ANEW, ON_REQUEST, RESENT, Effect, History, Kind, Plan, Step, Withheld
from dunning.values import lean

OVER_BEFORE_US: tuple[Rule, ...] = (over_before_us, recovery, late_payment)
CLOSED: tuple[Rule, ...] = (recovery, ending, late_payment, unpaid_on_return, bought_twice)
STOPPED: tuple[Rule, ...] = (ending, end_action, new_method, escalation, unreachable, reminders)
RUNNING: tuple[Rule, ...] = (
    notices,
    final_warnings,
    restriction,
    expiry,
    new_method,
    retries,
    escalation,
    unreachable,
    reminders,
    levels,
)


def plan(account: Account, history: History, policies: PolicySource, now: datetime) -> Plan:
    """What is to be done for this account from now on. The account must be settled (`case.settle`)."""
    return Outlook(account, history, policies).look(now).plan(now)


class Outlook:
    """A settled account, what was done for it, and its policies, looked at while time goes on.

    What follows from the account alone is worked out once, and a rule is asked again only when its answer may
    differ.
    """

    def __init__(self, account: Account, history: History, policies: PolicySource) -> None:
        self.account, self._history, self._policies = account, dict(history), policies
        self._cases = {
            each.s.case.invoice: Answers(each, _rules_for) for each in _terms_of(account, policies)
        }
        self._renews = _renews(account)
        self._last: Look | None = None

    def done(self, effect: Effect) -> None:
        """A step was taken, but for access. Looks of before do not know of it."""
        self._history = {**self._history, effect.key: effect}
        self._last = None
        for each in self._cases.values():
            each.heed(effect, self._history)

    def taken(self, effect: Effect, account: Account) -> None:
        """Access was taken; `account` is the one after it (`receipts.with_access_taken`)."""
        self.account = account
        self._history = {**self._history, effect.key: effect}
        self._last = None
        for each in self._cases.values():
            each.heed_taken(effect, self._history, account)

    def learned(self, account: Account) -> None:
        """More is known; `account` is settled, with the cases of before."""
        before, only_charges = self._cases, same_but_for_charges(self.account, account)
        self.account, self._renews, self._last, self._cases = account, _renews(account), None, {}
        for of in _terms_of(account, self._policies):
            ref = of.s.case.invoice
            answers = self._cases[ref] = before.get(ref) or Answers(of, _rules_for)
            answers.heed_learned(of, only_charges=only_charges)

    def look(self, now: datetime) -> Look:
        """What is to be done from now on; `now` is no earlier than of the look before."""
        if self._last is None or not self._last.holds(now):
            self._last = self._look(now)
        return self._last

    def _look(self, now: datetime) -> Look:
        history = self._history
        contexts: list[Context] = []
        answers: list[Answer] = []
        for each in self._cases.values():
            c, said = each.at(history, now)
            contexts.append(c)
            answers += said
        if self._renews:
            answers.append(self._coming(now))
        steps = [step for answer in answers for step in answer.steps if step.key not in history]
        steps.sort(key=_order)
        return Look(self.account, contexts, history, steps, answers)

    def _coming(self, now: datetime) -> Answer:
        items = list(renewals(self.account, self._history, self._policies, now))
        steps = [item for item in items if isinstance(item, Step)]
        return Answer(steps, [item for item in items if isinstance(item, Withheld)], now + RESOLUTION)


@lean
@dataclass(frozen=True, slots=True)
class Look:
    """A plan in the making: who only takes a step of it need not ask for access.

    `steps` are in order.
    """

    account: Account
    contexts: list[Context]
    history: History
    steps: list[Step]
    answers: list[Answer]

    def holds(self, now: datetime) -> bool:
        """Whether the rules would say the same then, if nothing was done."""
        return all(now < answer.until for answer in self.answers)

    def due(self, now: datetime) -> Iterator[Step]:
        """In order."""
        return takewhile(lambda step: step.due_at <= now, self.steps)

    @property
    def withheld(self) -> list[Withheld]:
        return [item for answer in self.answers for item in answer.withheld if item.key not in self.history]

    @property
    def level(self) -> Level:
        """Of the access that there is, whatever the time."""
        return access_of(self.account, {c.ref: None for c in self.contexts if _is_deadline(c)}).level

    def access(self, now: datetime) -> Access:
        """As it is then."""
        deadlines = {c.ref: _deadline(c.at(now)) for c in self.contexts if _is_deadline(c)}
        return access_of(self.account, deadlines)

    def plan(self, now: datetime) -> Plan:
        """With the access of then."""
        return Plan(tuple(self.steps), tuple(self.withheld), self.access(now))


def _terms_of(account: Account, policies: PolicySource) -> Iterator[Terms]:
    """Of each case, oldest first."""
    cases = sorted(account.cases.values(), key=lambda case: (case.opened_at, case.invoice))
    return (terms(account, case, policies) for case in cases)


def _renews(account: Account) -> bool:
    return any(each.period_end for each in account.subscriptions.values())


_order = attrgetter("due_at", "key")


def _rules_for(s: Situation) -> tuple[Rule, ...]:
    if s.first_payment:
        return (first_payment,) if s.case.is_open else (late_payment,)
    over_before_us = s.case.taken_over_at and s.case.first_contact_at is None
    if over_before_us and (not s.case.is_open or s.subscription.stopped_for_nonpayment):
        return OVER_BEFORE_US
    if not s.case.is_open:
        return CLOSED
    taken = any(still_taken(other, s.subscription) for other in of_same_subscription(s))
    return STOPPED if taken or s.subscription.stopped_for_nonpayment else RUNNING


def _is_deadline(c: Context) -> bool:
    """Whether there is access that the case may yet make less."""
    return c.s.case.is_open and not c.s.case.taken_at and not c.s.first_payment


def _deadline(c: Context) -> datetime | None:
    """When access becomes less for this case, or None where nobody will take it."""
    if c.said.hold or why_kept(c.s):
        return None
    return c.ends_at if limited(c) else limited_from(c) or c.ends_at


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of a step that was decided.

    Nothing given: carry it out. `excuse`: drop it, and why. `put_off`: it is wanted, but not before then.
    `asleep_until`: carry it out, though its reader sleeps by now; an attempt that is repeated can wait.
    """

    excuse: str | None = None
    put_off: datetime | None = None
    asleep_until: datetime | None = None


def verdict(account: Account, history: History, policies: PolicySource, now: datetime, key: str) -> Verdict:
    """Ask the same rules again, as if the step had not been decided yet, at the point of effect."""
    asked = history.get(key)
    if asked and asked.name == RESENT:
        c = context(account, account.cases[asked.case], history, policies, now)
        return Verdict(excuse=why_not_resent_any_more(c, history[repeated_step(key)]))
    if asked and asked.name in ON_REQUEST:
        return Verdict(excuse=why_not_requested(account, history, asked))
    if asked and asked.name in (ASKED, ASKED_ANEW):
        c = context(account, account.cases[asked.case], history, policies, now)
        return Verdict(excuse=why_not_any_more(c, asked))
    before = {other: effect for other, effect in history.items() if other != key}
    again = plan(account, before, policies, now)
    step = next((step for step in again.steps if step.key == key), None)
    if step is None:
        reasons = (item.reason for item in again.withheld if item.key == key)
        return Verdict(excuse=next(reasons, "the case no longer calls for it"))
    if step.kind is Kind.TEAM or step.due_at <= now:
        return Verdict()
    # Waking hours put a notice off and a warning forward. It was decided in them: that the evening came
    # meanwhile is no reason.
    if step.wanted_at and step.wanted_at <= now:
        return Verdict(asleep_until=step.due_at)
    return Verdict(put_off=step.due_at)


def access_step_level(step: Step) -> Level:
    """The access level an ACCESS step leads to. ValueError for any other step."""
    return Level(step.name)
