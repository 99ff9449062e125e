"""Ask the rules of one case, and each of them again only when its answer may differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dunning.account import Account
from dunning.case import Situation
from dunning.rules.context import FOR_EVER, Context
from dunning.rules.governing import governed
from dunning.rules.rule import CHARGES, Rule, touched_by
from dunning.rules.terms import Terms
from dunning.steps import Effect, History, Step, Withheld
from dunning.values import lean


@lean
@dataclass(frozen=True, slots=True)
class Answer:
    """What a rule calls for and holds back, once `governed`: the same at every moment before `until`."""

    steps: list[Step]
    withheld: list[Withheld]
    until: datetime


class Answers:
    """What the rules have said of a case so far, while time goes on and steps are taken."""

    def __init__(self, of: Terms, choose: Callable[[Situation], Sequence[Rule]]) -> None:
        """`choose` says which rules look at such a case."""
        self._terms, self._choose = of, choose
        self._known: dict[Rule, Answer | None] = dict.fromkeys(choose(of.s))
        self._context: Context | None = None

    def heed(self, effect: Effect, history: History) -> None:
        """A step was taken: forget what it may change. `history` has it."""
        touched = touched_by(effect, self._context)
        self._context = self._context and self._context.once_done(effect, history)
        for rule in self._known:
            if rule.minds(touched):
                self._known[rule] = None

    def heed_taken(self, effect: Effect, history: History, account: Account) -> None:
        """Access was taken, for this case or another: other rules may look at the case from now on."""
        self.heed(effect, history)
        self._terms = self._terms.once_taken(account)
        self._context = self._context and self._context.of(self._terms)
        self._known = {rule: self._known.get(rule) for rule in self._choose(self._terms.s)}

    def heed_learned(self, of: Terms, *, only_charges: bool) -> None:
        """More is known of the account, though perhaps no more than `only_charges` that failed."""
        kept = self._known if only_charges and self._terms.hold_for(of) else {}
        self._terms, self._context = of, None
        self._known = {rule: None if CHARGES in rule.reads else kept.get(rule) for rule in self._choose(of.s)}

    def at(self, history: History, now: datetime) -> tuple[Context, list[Answer]]:
        """What each rule says in turn, and what it was asked about."""
        c = self._context = self._context.at(now) if self._context else Context(self._terms, history, now)
        known = self._known
        for rule, answer in known.items():
            if answer is None or now >= answer.until:
                known[rule] = ask(rule, c)
        return c, [answer for answer in known.values() if answer]


def ask(rule: Rule, c: Context) -> Answer:
    """What the rule says of the case as it is."""
    c.holds_until = FOR_EVER
    steps: list[Step] = []
    withheld: list[Withheld] = []
    for item in rule.ask(c):
        if item.key in c.history:
            continue
        found = governed(c, item) if isinstance(item, Step) else item
        steps.append(found) if isinstance(found, Step) else withheld.append(found)
    return Answer(steps, withheld, c.holds_until)
