"""Webhook endpoints, how deliveries to them behave, and what became of each try."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sandbox.stripe.versions import ApiVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address that gets events, rendered in its own API version; `enabled_events` may be `("*",)`.

    They are named as snapshots are, also where it gets thin ones. It is of one `account`, as
    `sandbox.stripe.accounts` names it, and gets that one's events, or with `connect` those of the accounts
    that are connected to it.
    """

    url: str
    secrets: tuple[str, ...]
    version: ApiVersion
    enabled_events: tuple[str, ...] = ("*",)
    thin: bool = False
    account: str = ""
    connect: bool = False

    def wants(self, event_type: str, account: str = "") -> bool:
        """Whether it is subscribed to the type, of this account, and its version knows it."""
        if not (account.startswith("acct_") if self.connect else account == self.account):
            return False
        if event_type.startswith("invoice_payment.") and not self.version.basil:
            return False
        return "*" in self.enabled_events or event_type in self.enabled_events


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """`backoff`: seconds before the second, third, ... try, the last repeating for ever.

    `timeout`: seconds until a try without an answer has failed.
    `duplicates`: the share of events (0 to 1) that are sent a second time though they were acknowledged.
    `shuffle`: send what is waiting in random order. Both follow `seed`.
    `concurrency`: tries under way at once; 1 keeps the order.
    """

    backoff: Sequence[float] = (0.05, 0.1, 0.2, 0.4, 0.8)
    timeout: float = 10.0
    concurrency: int = 8
    duplicates: float = 0.0
    shuffle: bool = False
    seed: int = 0

    def pause_after(self, tries: int) -> float:
        """Seconds to wait after so many failed tries."""
        return self.backoff[min(tries, len(self.backoff)) - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One try: `status` is the HTTP answer, None when there was none and `error` says why.

    `at` is when the answer came, `seconds` how long it took.
    """

    endpoint: str
    event_id: str
    event_type: str
    number: int
    duplicate: bool
    status: int | None
    error: str | None
    at: datetime
    seconds: float

    @property
    def acknowledged(self) -> bool:
        """Only 2xx counts; a redirect is a failure."""
        return self.status is not None and 200 <= self.status < 300
