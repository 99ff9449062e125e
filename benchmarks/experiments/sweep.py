"""Everybody's grace ends at once: the scheduler's sweep, and workers that take access, beside bare SQL."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count

from benchmarks.experiment import Contender, Experiment, Figures, Mark
from benchmarks.experiments.revoking import Revoking
from benchmarks.house import House
from benchmarks.scale import Scale
from benchmarks.world import business

# What has to be written at least, by the database alone: one UPDATE and two inserts of as many rows.
_BARE = """
    BEGIN;
    UPDATE cases SET taken_at = now(), taken_level = 'revoked', taken_from = 'limited', swept_at = NULL
    WHERE customer_id BETWEEN {first} AND {last};
    INSERT INTO outbox (customer_id, "case", step, kind, name, channel, reason, status, created_at)
    SELECT customer_id, invoice, 'bare:{turn}', 'mail', 'access_ended', 'mail', 'taken', 'sent', now()
    FROM cases WHERE customer_id BETWEEN {first} AND {last};
    INSERT INTO journal (customer_id, "case", at, kind, reason, data)
    SELECT customer_id, invoice, now(), 'access.changed', 'grace_expired', jsonb_build_object('to', 'revoked')
    FROM cases WHERE customer_id BETWEEN {first} AND {last};
    COMMIT;
"""


class _Sweep:
    """A business of which the next so many customers are made due, round after round."""

    def __init__(self, house: House, scale: Scale, stack: ExitStack) -> None:
        self._house, self._due = house, scale.due_at_once
        # The last of them are for the bare statements.
        open_cases = max(scale.open_cases, (scale.rounds + 1) * self._due)
        self._bare = range(open_cases - self._due + 1, open_cases + 1)
        self._turns = count()
        self._revoking = Revoking(house, stack)
        # While they start: nothing of it is due.
        business.fill(self._revoking.database, paying=scale.subscriptions - open_cases, open_cases=open_cases)
        self._revoking.ready()

    def real(self) -> Figures:
        first = next(self._turns) * self._due + 1
        return self._revoking.revoke(range(first, first + self._due))

    def bare(self) -> Figures:
        """The same rows, written by three statements."""
        statements = _BARE.format(first=self._bare[0], last=self._bare[-1], turn=time.monotonic_ns())
        start = time.monotonic()
        self._house.execute(self._revoking.database, statements)
        return {"ms": 1000 * (time.monotonic() - start)}


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    with ExitStack() as stack:
        sweep = _Sweep(house, scale, stack)
        yield [Contender("sweep", sweep.real), Contender("bare statements", sweep.bare)]


SWEEP = Experiment(
    "sweep",
    "Grace sweep: from the look that finds them due until all are revoked, with mail, journal and access",
    _set_up,
    (
        Mark("to one UPDATE and two inserts", "sweep", "ms", "bare statements", must=8, aim=3, better="less"),
        Mark("all of them", "sweep", "ms", must=60_000, better="less"),
        Mark("before it, the wait for that look", "sweep", "wait_ms"),
        Mark("of which PostgreSQL's processor time", "sweep", "postgres_cpu_ms"),
        Mark("and the programs'", "sweep", "programs_cpu_ms"),
    ),
)
