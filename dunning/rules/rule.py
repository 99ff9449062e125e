"""A rule, what it reads, and which steps are therefore news to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dunning.rules.context import Context
from dunning.steps import FINAL_WARNING, Effect, Kind, Step, Withheld

# Read by a rule that counts charges, or asks when one was or will be made. Why the last one failed, and what
# else follows from them, is another matter: where that changes, every rule is asked again.
CHARGES = "charges"
# Read by a rule that of the mails only wants to know when the first of the case had come.
TOLD = "told"
# And of the warnings, since when access ends as one of them has promised: later ones promise nothing else.
WARNED = "warned"

Ask = Callable[[Context], Iterator[Step | Withheld]]


@dataclass(frozen=True, eq=False, slots=True)
class Rule:
    """`reads` is what the rule, or `governed` for its steps, looks at of all that was done: kinds and names.

    Who looks at the access that was taken, in whatever case, reads `Kind.ACCESS`, who counts charges
    `CHARGES`, who only asks since when somebody knows of the case `TOLD`, and of its end `WARNED`. Its answer
    stays as it is while no such step is taken and no such charge is learned of, though a step of its own that
    is taken is over.
    """

    ask: Ask
    reads: frozenset[str]

    def __call__(self, c: Context) -> Iterator[Step | Withheld]:
        return self.ask(c)

    def minds(self, touched: frozenset[str]) -> bool:
        """Whether the answer may differ now that a step was done which has `touched` this."""
        return not self.reads.isdisjoint(touched)


def touched_by(effect: Effect, c: Context | None) -> frozenset[str]:
    """What a rule that looks at this step says that it reads; `c` is of right before it, None: not known."""
    touched = [effect.kind, effect.name.partition(":")[0]]
    if effect.kind is Kind.MAIL and not (c and c.told_at):
        touched.append(TOLD)
    if effect.name == FINAL_WARNING and not (c and c.warned_at):
        touched.append(WARNED)
    return frozenset(touched)


def reads(*steps: str) -> Callable[[Ask], Rule]:
    """Make a rule of a function, and say what it reads of the history: kinds of steps, or their names.

    Of a name with a number ("reminder:2") that is what comes before it.
    """
    return lambda ask: Rule(ask, frozenset(steps))
