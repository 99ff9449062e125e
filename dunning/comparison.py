"""What another policy would do differently for one customer, and for all of them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from dunning.account import Account
from dunning.hindsight import Hindsight
from dunning.policy import Policy
from dunning.relevance import Traits, paid_within, same_for, traits
from dunning.replay import steps_apart
from dunning.segments import PolicySource
from dunning.steps import FINAL_WARNING, Kind, Step

EPOCH = datetime.fromtimestamp(0, UTC)


class Way(StrEnum):
    """How a step differs: only the new policy takes it, only the old one does, or at another time."""

    COMES = "comes"
    GOES = "goes"
    MOVES = "moves"


@dataclass(frozen=True, slots=True)
class Change:
    """One step that differs. `before` and `after` are when it is taken, None where it is not."""

    key: str
    kind: Kind
    name: str
    case: str
    before: datetime | None
    after: datetime | None

    @property
    def way(self) -> Way:
        if self.before is None:
            return Way.COMES
        return Way.GOES if self.after is None else Way.MOVES

    @property
    def by(self) -> timedelta:
        """How much later it is taken; less than nothing: earlier."""
        return self.after - self.before if self.after and self.before else timedelta(0)

    @property
    def at(self) -> datetime:
        """When it is taken by the new policy, else was by the old one."""
        return self.after or self.before or EPOCH


def changes(old: Sequence[Step], new: Sequence[Step]) -> tuple[Change, ...]:
    """The steps that differ between two replays, by their times. The same key is the same step."""
    before, after = by_key(old), by_key(new)
    found = []
    for key in before.keys() | after.keys():
        was, will = before.get(key), after.get(key)
        step = will or was
        times = (was.due_at if was else None, will.due_at if will else None)
        if step and times[0] != times[1]:
            found.append(Change(key, step.kind, step.name, step.case, *times))
    return tuple(sorted(found, key=lambda change: (change.at, change.key)))


def by_key(steps: Sequence[Step]) -> dict[str, Step]:
    """The steps of a replay; the first final warning, so long before the end, is the same under every policy.

    The end may have moved at another time, which its key names, or not at all.
    """
    found: dict[str, Step] = {}
    rounds: Counter[tuple[str, str]] = Counter()
    for step in steps:
        key = step.key
        if step.name == FINAL_WARNING:
            before = key.rpartition(":")[2]
            rounds[step.case, before] += 1
            number = rounds[step.case, before]
            key = f"final_warning:{step.case}:{before if number == 1 else f'{number}:{before}'}"
        found[key] = step
    return found


@dataclass(frozen=True, slots=True)
class Difference:
    """What changes for one customer, over `cases` of theirs that were looked at."""

    customer: str
    cases: int
    changes: tuple[Change, ...]

    @property
    def touched(self) -> int:
        """How many of the cases are treated differently."""
        return len({change.case for change in self.changes})


class Comparison:
    """Two policies, lived through by one customer after the other.

    Only cases that failed first at `since` or later count; None: all.
    """

    def __init__(self, old: PolicySource, new: PolicySource, since: datetime | None = None) -> None:
        self._old, self._new, self._since = old, new, since
        self._known: dict[tuple[int, int, Traits], timedelta] = {}

    def of(self, account: Account) -> Difference:
        """What changes for this customer."""
        past = Hindsight(account)
        counted = {ref for ref, at in past.openings.items() if self._since is None or at >= self._since}
        found: tuple[Change, ...] = ()
        if counted:
            found = tuple(each for each in self._changes(account, past) if each.case in counted)
        return Difference(account.customer.ref, len(counted), found)

    def _changes(self, account: Account, past: Hindsight) -> tuple[Change, ...]:
        """Nothing is lived through twice that the policies agree on: no case that is over by then, at all."""
        span = self._agreed_for(account, past)
        if paid_within(account, past) <= span:
            return ()
        # Where people have spoken, who may have moved deadlines, only what holds for ever is relied on.
        first = min(past.openings.values())
        return changes(
            *steps_apart(past, self._old, self._new, first if account.instructions else first + span)
        )

    def _agreed_for(self, account: Account, past: Hindsight) -> timedelta:
        """How long after the first failure both policies give each case the same rules."""
        of = traits(account)
        return min(
            self._same_for(self._old.choose(known, invoice), self._new.choose(known, invoice), of)
            for known, invoice in past.opened()
        )

    def _same_for(self, one: Policy, other: Policy, of: Traits) -> timedelta:
        """How long they are the same to such an account. The sources keep them, so their ids stay theirs."""
        key = (id(one), id(other), of)
        if key not in self._known:
            self._known[key] = same_for(one, other, of)
        return self._known[key]


@dataclass(slots=True)
class Tally:
    """Steps of one kind and name: how many come, go, and move, and by how much in all."""

    comes: int = 0
    goes: int = 0
    earlier: int = 0
    later: int = 0
    earlier_by: timedelta = timedelta(0)
    later_by: timedelta = timedelta(0)

    def add(self, change: Change) -> None:
        match change.way:
            case Way.COMES:
                self.comes += 1
            case Way.GOES:
                self.goes += 1
            case Way.MOVES if change.by > timedelta(0):
                self.later, self.later_by = self.later + 1, self.later_by + change.by
            case Way.MOVES:
                self.earlier, self.earlier_by = self.earlier + 1, self.earlier_by - change.by

    def join(self, other: Tally) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Totals:
    """Many differences added up; they can be added in any order and in parts."""

    customers: int = 0
    customers_touched: int = 0
    cases: int = 0
    cases_touched: int = 0
    tallies: dict[tuple[Kind, str], Tally] = field(default_factory=dict)

    def add(self, found: Difference) -> None:
        self.customers += 1
        self.customers_touched += bool(found.changes)
        self.cases += found.cases
        self.cases_touched += found.touched
        for change in found.changes:
            # A reminder's number, or the day of a broken promise, is no name of its own.
            name = change.name.partition(":")[0]
            self.tallies.setdefault((change.kind, name), Tally()).add(change)

    def join(self, other: Totals) -> None:
        self.customers += other.customers
        self.customers_touched += other.customers_touched
        self.cases += other.cases
        self.cases_touched += other.cases_touched
        for key, tally in other.tallies.items():
            self.tallies.setdefault(key, Tally()).join(tally)

    @property
    def rows(self) -> Mapping[tuple[Kind, str], Tally]:
        """By kind and name."""
        return dict(sorted(self.tallies.items()))


def largest(found: Iterable[Difference], limit: int) -> list[Difference]:
    """The customers with the most changes, the most first."""
    touched = (each for each in found if each.changes)
    return sorted(touched, key=lambda each: (-len(each.changes), each.customer))[:limit]
