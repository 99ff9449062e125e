"""What is not done for now, since the breaker is tripped or a cap is reached. It stays planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeGuard

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, breaker, journal, outbox, restores
from db.accounts import Loaded
from db.journal import Entry
from db.outbox import Claim
from dunning.breaker import Limits, cap_reached, held_back, holds, revocations_left
from dunning.restoring import Gap
from dunning.steps import Kind, Plan, Step

log = structlog.get_logger()

LOOK_AGAIN = timedelta(minutes=5)
TRIPPED = "the breaker is tripped: access is kept for now"
HELD = "held back: the breaker is tripped"


class Switch:
    """The breaker, and what a restored backup lacks, in one transaction: asked once, if it would matter."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._tripped: bool | None = None
        self._gap: tuple[Gap | None] | None = None

    async def must_hold(self, steps: Sequence[Step]) -> bool:
        """Whether any of these steps must not be taken now."""
        if not any(held_back(step) for step in steps):
            return False
        if self._tripped is None:
            self._tripped = await breaker.tripped(self._connection) is not None
        return self._tripped

    async def maybe_done(self, steps: Sequence[Step]) -> list[Step]:
        """Those that may have been carried out by a database that is lost."""
        if not any(step.kind in (Kind.MAIL, Kind.RETRY) for step in steps):
            return []
        if self._gap is None:
            self._gap = (await restores.last(self._connection),)
        gap = self._gap[0]
        return gap.may_have_done(steps) if gap else []


def next_look(planned: Plan, case: str, now: datetime, *, put_off: bool) -> datetime | None:
    """When the case wants attention next. `put_off`: what is due and was not taken, in a few minutes."""
    later = now + LOOK_AGAIN
    times = [step.due_at for step in planned.steps if step.case == case]
    return min((later if put_off and due_at <= now else due_at for due_at in times), default=None)


async def let_through(connection: AsyncConnection, claims: Sequence[Claim]) -> list[Claim]:
    """Put claimed effects back, uncounted, that the breaker holds. Call it in the transaction of the claim.

    A mail that may have been sent already is not held: it only remains to be said so. A charge is, since
    asking for it again may be what makes it.
    """
    held = [claim for claim in claims if _may_be_held(claim)]
    if not held or await breaker.tripped(connection) is None:
        return list(claims)
    for claim in held:
        await outbox.put_back(connection, claim, LOOK_AGAIN, HELD)
        log.debug("mail.held", customer=claim.customer_id, case=claim.case, step=claim.step)
    return [claim for claim in claims if claim not in held]


def _may_be_held(claim: Claim) -> bool:
    sent = claim.handed_over and claim.channel != "provider"
    return not sent and holds(claim.kind, claim.name)


@dataclass(frozen=True, slots=True)
class Bars:
    """Why access is not taken now, without asking the provider: from all, or from those who are counted."""

    everybody: str | None = None
    counted: str | None = None

    def why_kept(self, loaded: Loaded) -> str | None:
        """None: nothing bars it."""
        return self.everybody or (self.counted if _is_counted(loaded) else None)


NONE = Bars()


async def bars(connection: AsyncConnection, limits: Limits | None) -> Bars:
    """What bars taking access now: the breaker, or a cap that is reached."""
    if await breaker.tripped(connection) is not None:
        return Bars(everybody=TRIPPED)
    if not _are_capped(limits):
        return NONE
    revoked = await breaker.revocations(connection, limits)
    return Bars(counted=cap_reached(revoked, limits) if revocations_left(revoked, limits) == 0 else None)


@dataclass(frozen=True, slots=True)
class Caps:
    """How many revocations are left to this transaction (None: as many as are due), and why no more."""

    left: int | None = None
    why: str | None = None

    def allowed(self, loaded: Loaded, cases: Sequence[str]) -> tuple[Sequence[str], str | None]:
        """Those of the cases whose access may be taken, and why the others' may not."""
        if self.why is None or not _is_counted(loaded):
            return cases, None
        return cases[: self.left], self.why

    def after(self, loaded: Loaded, taken: int) -> Caps:
        """What is left once access was taken for so many of somebody's cases."""
        if self.left is None or not _is_counted(loaded):
            return self
        return replace(self, left=self.left - taken)


NO_CAPS = Caps()


async def caps(connection: AsyncConnection, limits: Limits | None, wanted: int) -> Caps:
    """What the caps leave of so many, with nobody else taking anything until this transaction ends."""
    if not _are_capped(limits):
        return NO_CAPS
    revoked = await breaker.revocations_alone(connection, limits, wanted)
    return Caps(revocations_left(revoked, limits), cap_reached(revoked, limits))


def _are_capped(limits: Limits | None) -> TypeGuard[Limits]:
    """Without a cap nobody has to be counted, nor to wait for others who take access."""
    return limits is not None and limits.revocations_per_hour > 0


def _is_counted(loaded: Loaded) -> bool:
    """Customers on test clocks live through a year in a minute: they are neither counted nor capped."""
    return loaded.account.customer.test_clock is None


async def keep(connection: AsyncConnection, loaded: Loaded, step: Step, why: str, now: datetime) -> None:
    """Access that is due to be taken is kept, which the customer's story says once; we look again soon."""
    if step.case not in await journal.cases_with(connection, loaded.id, "access.kept", why):
        entry = Entry(loaded.id, loaded.clock or now, "access.kept", why, step.case)
        await journal.write(connection, [entry])
    # A test clock may never move again: its customers are handed out by the scheduler every half minute.
    if loaded.clock is None:
        await accounts.look_again(connection, [(loaded.id, step.case, now + LOOK_AGAIN)])
