"""After a backup was brought back: what may have been done in the time that is lost, and is not repeated.

A mail whose step was due then was decided and sent, unless everything was down anyway. Nobody can ask a mail
server, so it counts as a mail that was never answered: not sent again by itself. Calls to the team are made
again, since twice told is better than not told. A charge has an idempotency key, by which the provider knows
it again for a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dunning.steps import Kind, Step

# Stripe's keys are kept for 24 hours at least (docs: Idempotent requests); some hours are for the restore.
KEYS_KEPT = timedelta(hours=20)


@dataclass(frozen=True, slots=True)
class Gap:
    """What was done from the backup on to the moment of its return, by the wall clock, is lost."""

    began_at: datetime
    ended_at: datetime

    @property
    def doubtful(self) -> frozenset[Kind]:
        """The kinds of effects of which nobody can tell whether they were carried out."""
        charges = {Kind.RETRY} if self.ended_at - self.began_at > KEYS_KEPT else set()
        return frozenset({Kind.MAIL, *charges})

    def may_have_done(self, taken: Sequence[Step]) -> list[Step]:
        """Those of the steps taken now that may have been carried out then.

        What had been due before the backup is no safer to repeat. The mail that access has ended is wanted
        since it was taken, which is now; so it goes by when that was wanted.
        """
        access = {step.case for step in taken if step.kind is Kind.ACCESS and self._was_wanted(step)}
        return [
            step
            for step in taken
            if step.kind in self.doubtful and (self._was_wanted(step) or step.case in access)
        ]

    def _was_wanted(self, step: Step) -> bool:
        return (step.wanted_at or step.due_at) <= self.ended_at
