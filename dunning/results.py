"""What becomes of a mail that a mail server has accepted, as the merchant's mail service tells it later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dunning.values import quick


@quick
class Result(StrEnum):
    """What a service can say of one mail."""

    # The reader's own server has taken it; it may return it all the same, later.
    DELIVERED = "delivered"
    # Not yet: the service goes on trying.
    DELAYED = "delayed"
    # This mail did not arrive (a full mailbox, an answer that nobody understands); another one may.
    SOFT_BOUNCE = "soft_bounce"
    # The service itself did not send it: a quota, a policy, a fault on our side.
    UNDELIVERED = "undelivered"
    # Its reader called it spam, or wants no mail from us.
    COMPLAINT = "complaint"
    # There is no such address, or it takes nothing from anybody.
    HARD_BOUNCE = "hard_bounce"


# In all of these a mail has told nobody anything that counts. The weightier first.
CAME_TO_NOTHING = (Result.HARD_BOUNCE, Result.COMPLAINT, Result.UNDELIVERED, Result.SOFT_BOUNCE)
# After these nothing more is mailed to that address.
RETURNED = frozenset({Result.HARD_BOUNCE, Result.COMPLAINT})


def weightier(one: Result | None, other: Result | None) -> Result | None:
    """Of two ways in which a mail came to nothing, the one that counts; None: it did not."""
    return next((each for each in CAME_TO_NOTHING if each in (one, other)), None)


@dataclass(frozen=True, slots=True)
class MailResult:
    """One thing that a mail service says of one mail to one address.

    `reference` is our own mark (`emails.message.reference`), where the service gives it back; `address` is
    the reader's, by which the mail is looked for where there is none. `at` is the service's time, UTC.
    `details` are its words and codes; they may repeat the address.
    """

    kind: Result
    at: datetime
    reference: str | None = None
    address: str | None = None
    details: str = ""
