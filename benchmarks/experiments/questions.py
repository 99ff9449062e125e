"""Stripe is asked once more before access is taken: what its answers cost those whose grace ends."""

import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.experiment import Contender, Experiment, Figures, Mark
from benchmarks.experiments.revoking import Revoking
from benchmarks.house import House
from benchmarks.scale import Scale
from benchmarks.world import business
from benchmarks.world.asked import renamed
from benchmarks.world.outside import simulated_stripe
from metrics import families


class _Questions:
    """As many customers of Stripe's as of a system that nobody can ask. Of each, the next so many
    are made due.

    Those of Stripe's have row ids from 1 on. The first of both open connections, and do not count.
    """

    def __init__(self, house: House, scale: Scale, stack: ExitStack) -> None:
        self._due = scale.asked_at_once
        self._turns, self._others = count(), count()
        of_each = (scale.rounds + 1) * self._due
        directory = Path(stack.enter_context(TemporaryDirectory()))
        stripe = simulated_stripe(house, stack, directory, of_each)()
        # What Stripe tells of their charges would count as a surge.
        settings = {"STRIPE_API_BASE": stripe.url, "DUNNING_BREAKER": "off"}
        self._revoking = Revoking(house, stack, measured=True, **settings)
        self._first_of_others = of_each + 1
        business.fill(self._revoking.database, paying=1, open_cases=2 * of_each)
        house.execute(self._revoking.database, renamed(stripe.failures))
        self._revoking.ready()
        self.asked()
        self.unasked()

    def asked(self) -> Figures:
        """With what each question took, of which some are under way at the same time."""
        asked, waited = self._answers()
        figures = self._revoke(1, next(self._turns))
        asked_then, waited_then = self._answers()
        return figures | {
            "questions_rate": 1000 * (asked_then - asked) / figures["ms"],
            "question_ms": 1000 * (waited_then - waited) / (asked_then - asked),
        }

    def unasked(self) -> Figures:
        return self._revoke(self._first_of_others, next(self._others))

    def _revoke(self, first: int, turn: int) -> dict[str, float]:
        first += turn * self._due
        return dict(self._revoking.revoke(range(first, first + self._due)))

    def _answers(self) -> tuple[float, float]:
        """How many questions Stripe was asked so far, and the seconds that each took, added up."""
        found = {"count": 0.0, "sum": 0.0}
        for port in self._revoking.metrics:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                lines = answer.read().decode().splitlines()
            for line in lines:
                for what in found:
                    if line.startswith(f"{families.STRIPE_SECONDS.name}_{what}"):
                        found[what] += float(line.rpartition(" ")[2])
        return found["count"], found["sum"]


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    with ExitStack() as stack:
        questions = _Questions(house, scale, stack)
        yield [Contender("asked", questions.asked), Contender("nobody to ask", questions.unasked)]


QUESTIONS = Experiment(
    "questions",
    "Access is taken from customers of Stripe's, each after Stripe was asked, by two worker processes",
    _set_up,
    (
        Mark("accounts, to as many with nobody to ask", "asked", "rate", "nobody to ask"),
        Mark("all of them", "asked", "ms"),
        Mark("questions that Stripe answers meanwhile", "asked", "questions_rate"),
        Mark("what each of them takes, others beside it", "asked", "question_ms"),
    ),
)
