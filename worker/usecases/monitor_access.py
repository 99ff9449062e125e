"""Who has paid and is locked out, and who is let in and pays for nothing: asked of Stripe, and planned anew.

Access follows from what Stripe says, as after any event. Who is on a wrong side all the same is for people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import structlog

from db import accounts, differences, mismatches
from db.mismatches import Mismatch
from dunning.differing import Difference
from providers.mirror import Mirror, facts_of
from worker.services import Services
from worker.usecases.learn import known_until, learn

log = structlog.get_logger()


def difference(found: Mismatch) -> Difference:
    """The same as it is written down."""
    return Difference(found.ref, "access", found.ref, {found.side: [found.level, found.since.isoformat()]})


async def monitor_access(
    services: Services, mirror: Mirror, found: Sequence[Mismatch], by: str
) -> Counter[str]:
    """Mend these or report them; how many of each. Raises ProviderUnavailableError or RefusedError."""
    counted: Counter[str] = Counter()
    for each in found:
        await _ask(services, mirror, each)
        async with services.engine.begin() as connection:
            left = await mismatches.each(connection, mirror.source, after=each.id - 1, most=1)
            wrong = left[0] if left and left[0].id == each.id else None
            await differences.note(connection, mirror.source, [difference(wrong or each)], by)
            row = next(one for one in await differences.standing(connection, "access") if one.ref == each.ref)
            if wrong:
                await differences.report(connection, row.id, row.differs)
            else:
                await differences.settle(connection, row.id, "repaired")
        status = "reported" if wrong else "repaired"
        log.warning(f"access.{status}", customer=each.id, side=each.side)
        counted[status] += 1
    return counted


async def _ask(services: Services, mirror: Mirror, found: Mismatch) -> None:
    """Fold what Stripe says of them now; with nothing new in it they are planned anew all the same."""
    async with services.engine.connect() as connection:
        loaded = (await accounts.load(connection, [found.id]))[found.id]
    at = known_until(loaded.account) or loaded.clock or services.clock()
    facts = facts_of(await mirror.customer(found.ref, at), found.ref)
    for ref in sorted(loaded.account.subscriptions):
        facts += facts_of(await mirror.subscription(ref, at), found.ref)
    await learn(services, found.id, facts)


async def over_by_now(services: Services) -> int:
    """Those that were reported and are right by now count as gone; how many."""
    async with services.engine.begin() as connection:
        gone = 0
        for row in await differences.standing(connection, "access"):
            ids = await accounts.known(connection, [(row.source, row.customer)])
            number = ids[row.source, row.customer]
            wrong = await mismatches.each(connection, row.source, after=number - 1, most=1)
            if not wrong or wrong[0].id != number:
                await differences.settle(connection, row.id, "gone")
                gone += 1
    return gone
