"""What people have told us: the merchant's team about a customer or a case, and customers about themselves.

An instruction is never changed or taken back, only followed by another; `standing` reads what holds now. It
belongs to one case or, without one, to everything of the customer, now and in the future.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dunning.values import quick

# Who said it, where customers did so themselves on their page.
THE_CUSTOMER = "the customer"


@quick
class Verb(StrEnum):
    """`until` goes with pause and promise, `span` with extend, `to` with hand over and the payer."""

    # No mail, no charge of ours, no access taken, until it is resumed or paid.
    STOP = "stop"
    # The same until a date; deadlines move behind it.
    PAUSE = "pause"
    # Never to be dunned at all. Of a customer only, and a payment does not end it.
    EXCLUDE = "exclude"
    # Ends what of stop, pause, exclude and hand over holds.
    RESUME = "resume"
    # More time before access ends.
    EXTEND = "extend"
    # The debt is dropped, and what was taken for it is given back.
    FORGIVE = "forgive"
    # A person takes over; the program is silent and reminds them.
    HAND_OVER = "hand_over"
    # The customer has named the day on which they pay.
    PROMISE = "promise"
    # A person has seen the calls for them.
    ACKNOWLEDGE = "acknowledge"
    # On the customer's page: somebody else pays, at the address `to`...
    NAME_PAYER = "name_payer"
    # ...and the address on file has confirmed it.
    CONFIRM_PAYER = "confirm_payer"
    # Mails may go again to where some came back from. Of a customer only.
    ADDRESS_WORKS = "address_works"
    # Who they are is forgotten (`dunning.forgetting`), and may be known again. Of a customer only.
    FORGET = "forget"
    REMEMBER = "remember"


@dataclass(frozen=True, slots=True)
class Instruction:
    """`at` is the account's time, `by` who said it and `why` their reason, in their own words."""

    verb: Verb
    at: datetime
    by: str
    why: str
    case: str | None = None
    until: datetime | None = None
    span: timedelta | None = None
    to: str | None = None
