"""From a token to what it opens: one look at the database, which cannot change anything."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from db import accounts, links
from db.accounts import Loaded
from db.links import LinkRow
from dunning.account import Account, Case
from dunning.case import settle
from dunning.rules.context import Context, context
from dunning.segments import PolicySource
from portal.links import FOR_BANNERS, Links, Verdict, verdict

NOBODY_S = 32  # bytes of a digest


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind a link that is ours. `at` is the customer's time; the account is settled."""

    link: LinkRow
    loaded: Loaded
    account: Account
    context: Context
    at: datetime

    @property
    def case(self) -> Case:
        return self.account.cases[self.link.case]


@dataclass(frozen=True, slots=True)
class Opened:
    """A token, what it opens, and what stands behind it if it is ours."""

    token: str
    verdict: Verdict
    behind: Behind | None = None


class Door:
    """Looks up links. `clock` tells the wall time, by which customers without a test clock live."""

    def __init__(
        self, engine: AsyncEngine, links: Links, policy: PolicySource, clock: Callable[[], datetime]
    ) -> None:
        # PostgreSQL itself refuses whatever would change something.
        self._engine = engine.execution_options(postgresql_readonly=True)
        self._links = links
        self._policy = policy
        self._clock = clock

    def digest(self, token: str) -> bytes | None:
        """The digest of a token that we have signed, without a look at the database."""
        return self._links.read(token)

    async def open(self, token: str) -> Opened:
        """What the token opens now. SQLAlchemy's errors, OSError and TimeoutError pass through."""
        # What was never ours is looked for as well: it takes as long.
        digest = self._links.read(token) or secrets.token_bytes(NOBODY_S)
        async with self._engine.connect() as connection:
            link = await links.find(connection, digest)
            if link is None:
                return Opened(token, Verdict.UNKNOWN)
            loaded = (await accounts.load(connection, [link.customer_id]))[link.customer_id]
        if self._links.is_banner(token):
            # It may be named after a mail's link, but does not show that its reader has had that mail.
            link = replace(link, made_by=FOR_BANNERS)
        behind = look_behind(link, loaded, self._policy, loaded.clock or self._clock())
        if behind is None:
            return Opened(token, Verdict.UNKNOWN)
        found = verdict(
            made_at=link.made_at,
            revoked_at=link.revoked_at,
            closed_at=behind.case.closed_at,
            now=behind.at,
        )
        return Opened(token, found, behind)


def look_behind(link: LinkRow, loaded: Loaded, policy: PolicySource, at: datetime) -> Behind | None:
    """The case a link leads to, as the rules see it at `at`; None: there is no such case."""
    account = settle(loaded.account, policy)
    case = account.cases.get(link.case)
    if case is None:
        return None
    return Behind(link, loaded, account, context(account, case, loaded.history, policy, at), at)
