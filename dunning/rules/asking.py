"""Ask the rules of one case, and each of them again only when its answer may differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from dunning.rules.context import FOR_EVER, Context, Rule, Terms, on
from dunning.rules.governing import governed
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
    """What each rule has said of a case so far, while time goes on and steps are taken."""

    def __init__(self, of: Terms, rules: Sequence[Rule]) -> None:
        self.terms, self._rules = of, rules
        self._known: list[Answer | None] = [None] * len(rules)
        self._context: Context | None = None

    def heed(self, effect: Effect) -> None:
        """A step was taken: forget what it may change."""
        self._context = None
        for place, rule in enumerate(self._rules):
            if rule.minds(effect):
                self._known[place] = None

    def at(self, history: History, now: datetime) -> Iterator[Answer]:
        """Of each rule in turn."""
        c = self._context.at(now) if self._context else on(self.terms, history, now)
        self._context = c
        for place, rule in enumerate(self._rules):
            answer = self._known[place]
            if answer is None or now >= answer.until:
                answer = self._known[place] = ask(rule, c)
            yield answer


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
