"""After a backup was brought back: what may have been done in the time that is lost, and is not repeated.

A mail whose step was due then was decided and sent, unless everything was down anyway. Nobody can ask a mail
server, so it counts as a mail that was never answered: not sent again by itself. Calls to the team are made
again, since twice told is better than not told. A charge has an idempotency key, by which the provider knows
it again for a day.
"""

from __future__ import annotations

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

    def may_have(self, step: Step) -> bool:
        """Whether this step may have been carried out. What had been due before is no safer to repeat."""
        return step.kind in self.doubtful and step.due_at <= self.ended_at
