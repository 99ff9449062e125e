"""What can become of a message handed to a mail server. The difference decides whether it may be sent again.

The texts are the server's own words and may repeat an address: they belong in the database, not in a log.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server took the message: done."""

    response: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The server refused this message for good, or there is no such address: final."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """The server certainly does not have the message: safe to send again later. `code` if it answered."""

    code: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The message was handed over and no answer came: it may have arrived. Never send it again blindly."""

    text: str


Delivery = Accepted | Rejected | Deferred | Unanswered
