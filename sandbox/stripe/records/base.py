"""The common ground of all objects, the clock they may live by, and the event that tells of their changes."""

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One object of the account."""

    OBJECT: ClassVar[str]

    id: str
    created: int

    @property
    def owners(self) -> tuple[str, ...]:
        """Ids of the objects this one is listed under."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TestClock(Record):
    """`created` is where the clock began; `target` is set while it advances."""

    # The name would make pytest collect it.
    __test__: ClassVar[bool] = False
    OBJECT: ClassVar[str] = "test_helpers.test_clock"

    frozen_time: int
    name: str | None
    status: str = "ready"
    target: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRef:
    """The API request that caused an event; both None for what Stripe does by itself."""

    id: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Record):
    """A change: `subject` after it and `before` it, rendered when somebody asks, in their API version."""

    OBJECT: ClassVar[str] = "event"

    type: str
    subject: Record
    before: Record | None = None
    request: RequestRef = field(default_factory=RequestRef)
    pending_webhooks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Application(Record):
    """A platform, as the accounts that are connected to it know it."""

    OBJECT: ClassVar[str] = "application"
