"""Everything the simulated account remembers: objects, events, clocks and the work still due."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import TypeVar

from sandbox.stripe.ids import Ids
from sandbox.stripe.policy import RetryPolicy
from sandbox.stripe.records import Event, PaymentMethod, Record, RequestRef

R = TypeVar("R", bound=Record)


class UnknownObjectError(LookupError):
    """No object with this id and kind; the API answers `resource_missing`."""

    def __init__(self, kind: type[Record], object_id: str) -> None:
        super().__init__(f"No such {kind.OBJECT.rpartition('.')[2]}: '{object_id}'")


@dataclass(frozen=True, slots=True, order=True)
class Task:
    """Work due at a moment; ties keep the order in which they were planned."""

    due: int
    number: int
    action: str
    object_id: str


class Ledger:
    """The account's memory. Callers hold `lock` while they read and write."""

    def __init__(self, *, seed: int, now: int, policy: RetryPolicy) -> None:
        self.lock = RLock()
        self.ids = Ids(seed)
        self.policy = policy
        self.hosted_base_url = "https://invoice.stripe.example"
        self.listeners: list[Callable[[Event], None]] = []
        self.count_webhooks: Callable[[str], int] = lambda event_type: 0
        self._objects: dict[type[Record], dict[str, Record]] = defaultdict(dict)
        self._listed: dict[tuple[type[Record], str], dict[str, None]] = defaultdict(dict)
        self._times: dict[str | None, int] = {None: now}
        self._agendas: dict[str | None, list[Task]] = defaultdict(list)
        self._planned = 0
        self._charged: dict[str, int] = defaultdict(int)
        self._request = RequestRef()

    # objects

    def put(self, record: R) -> R:
        """Store a new object or the new state of a known one."""
        self._objects[type(record)][record.id] = record
        for owner in record.owners:
            self._listed[type(record), owner][record.id] = None
        return record

    def get(self, kind: type[R], object_id: str) -> R:
        """The object as it is now; raises UnknownObjectError."""
        record = self._objects[kind].get(object_id)
        if not isinstance(record, kind):
            raise UnknownObjectError(kind, object_id)
        return record

    def find(self, object_id: str) -> Record | None:
        """The object with this id, whatever its kind."""
        return next((known[object_id] for known in self._objects.values() if object_id in known), None)

    def all(self, kind: type[R]) -> list[R]:
        """Every object of a kind, oldest first."""
        return [record for record in self._objects[kind].values() if isinstance(record, kind)]

    def of(self, kind: type[R], owner: str) -> list[R]:
        """The objects of a kind that belong to `owner`, oldest first."""
        records = (self.get(kind, object_id) for object_id in self._listed[kind, owner])
        return [record for record in records if owner in record.owners]

    # time

    def now(self, clock: str | None) -> int:
        """The clock's time; None is the account's own time, for customers without a test clock."""
        return self._times[clock]

    def set_time(self, clock: str | None, moment: int) -> None:
        self._times[clock] = moment

    def plan(self, clock: str | None, due: int, action: str, object_id: str) -> None:
        """Remember work; whoever does it checks first that it is still wanted."""
        self._planned += 1
        heapq.heappush(self._agendas[clock], Task(due, self._planned, action, object_id))

    def take_due(self, clock: str | None, until: int) -> Task | None:
        """The clock's earliest work not later than `until`."""
        agenda = self._agendas[clock]
        return heapq.heappop(agenda) if agenda and agenda[0].due <= until else None

    def next_due(self, clock: str | None) -> int | None:
        """When the clock's earliest work is due; by then it may not be wanted any more."""
        agenda = self._agendas[clock]
        return agenda[0].due if agenda else None

    # cards

    def next_outcome(self, method: PaymentMethod) -> str:
        """What the card's issuer answers now; each call is one charge."""
        charge = self._charged[method.id]
        self._charged[method.id] += 1
        return method.card.outcome(charge)

    def coming_outcome(self, method: PaymentMethod) -> str:
        """The same without a charge: what would be answered."""
        return method.card.outcome(self._charged[method.id])

    def restart_card(self, method_id: str) -> None:
        """Begin the card's script anew, after the network has replaced the card."""
        self._charged[method_id] = 0

    # events

    @contextmanager
    def requested_by(self, request: RequestRef) -> Iterator[None]:
        """Events emitted inside carry this request."""
        before, self._request = self._request, request
        try:
            yield
        finally:
            self._request = before

    def emit(self, event_type: str, subject: Record, *, at: int, before: Record | None = None) -> Event:
        """Record an event and tell the listeners."""
        event = Event(
            id=self.ids.new("evt"),
            created=at,
            type=event_type,
            subject=subject,
            before=before,
            request=self._request,
            pending_webhooks=self.count_webhooks(event_type),
        )
        self.put(event)
        for listener in self.listeners:
            listener(event)
        return event

    def change(self, event_type: str, after: R, *, at: int) -> R:
        """Store the new state and emit an event with what it was before."""
        before = self.get(type(after), after.id)
        self.put(after)
        self.emit(event_type, after, at=at, before=before)
        return after
