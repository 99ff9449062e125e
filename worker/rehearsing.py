"""An import that is only tried: read, folded and planned in memory, by the functions of the real one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts
from db.accounts import Loaded
from dunning.events import ClockMoved
from dunning.fold import empty, touched
from dunning.foretold import Foretold, foretell
from dunning.segments import PolicySource
from dunning.takeover import take_over
from providers.mirror import Listed


@dataclass(slots=True)
class Rehearsed:
    """What the pages so far would make of what is known.

    `before` is how each customer was found, `after` how they would stand; `unreadable` are ids.
    """

    source: str
    policies: PolicySource
    now: datetime
    before: dict[str, Loaded] = field(default_factory=dict)
    after: dict[str, Loaded] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    _clocks: dict[str, datetime] = field(default_factory=dict)
    _listed: Counter[str] = field(default_factory=Counter)

    @property
    def counts(self) -> dict[str, int]:
        """As an import counts."""
        opened = sum(
            case.first_contact_at is not None and ref not in self.before[customer].account.cases
            for customer, found in self.after.items()
            for ref, case in found.account.cases.items()
        )
        return {
            "subscriptions": self._listed["subscriptions"],
            "invoices": self._listed["invoices"],
            "cases": opened,
        }

    async def add(self, connection: AsyncConnection, stage: str, page: Listed) -> None:
        """One more page of a stage. Reads the database, and writes nothing."""
        self._listed[stage.partition(":")[0]] += page.objects
        self._clocks |= {fact.clock: fact.to for fact in page.facts if isinstance(fact, ClockMoved)}
        self.unreadable += page.unreadable
        told = touched(fact for fact in page.facts if not isinstance(fact, ClockMoved))
        await self._look_up(connection, [customer for customer in told if customer not in self.before])
        for customer, facts in told.items():
            found = self.after[customer]
            clock = next(filter(None, (getattr(each, "test_clock", None) for each in facts)), None)
            at = found.clock or self._clocks.get(clock or "")
            account = take_over(found.account, facts, self.policies, at or self.now)
            self.after[customer] = Loaded(found.id, account, found.history, found.due, at)

    async def _look_up(self, connection: AsyncConnection, customers: list[str]) -> None:
        ids = await accounts.known(connection, [(self.source, customer) for customer in customers])
        loaded = await accounts.load(connection, sorted(ids.values()))
        for customer in customers:
            row_id = ids.get((self.source, customer))
            found = loaded[row_id] if row_id else Loaded(0, empty(self.source, customer))
            self.before[customer] = self.after[customer] = found

    def foretold(self) -> Iterator[Foretold]:
        """Of each customer to whom something would happen because of the import."""
        for customer, found in self.after.items():
            before = self.before[customer].account
            new = found.account.cases.keys() - before.cases.keys()
            met = found.account.customer.first_contact_at != before.customer.first_contact_at
            if new or met:
                told = foretell(found.account, found.history, self.policies, found.clock or self.now)
                if told.steps:
                    yield told
