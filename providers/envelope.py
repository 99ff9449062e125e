"""What the receiver must know of an event before it is stored, whichever provider sent it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Disposition = Literal["pending", "ignored"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """The outside of one verified event.

    `created_at` is the provider's own time, aware and in UTC, or None when it gave none that can be read.
    `livemode` is None where the sender knows no modes. `disposition` says whether a worker has anything to do
    with the event; `note` says why not. `account` is whose it is at a door for the events of many accounts.
    """

    event_id: str
    type: str
    created_at: datetime | None
    livemode: bool | None
    disposition: Disposition
    note: str | None = None
    account: str | None = None


class BadSignature(Exception):  # noqa: N818 -- reads as the reason a request was refused, not as a fault of ours
    """The request was not signed by the provider, or not now. Its text is a reason code, safe to log."""


class BadEnvelope(Exception):  # noqa: N818 -- as above
    """The body is signed but is no event. Its text is a reason code, safe to log."""
