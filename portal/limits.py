"""How often somebody may ask: a bucket of tokens each, in the memory of this process.

Several processes have a bucket each, and a restart fills them: this keeps a script from being a nuisance.
What must hold exactly, such as fresh links a day, is counted in the database.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from time import monotonic
from typing import Final

from starlette.requests import Request

MOST_BUCKETS: Final = 10_000  # a few megabytes; who was heard of least lately is forgotten first
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, then `per_minute`."""

    burst: int
    per_minute: float


# People behind one address share it: an office, a phone network. A link is one person's, or a scanner's.
READ_BY_ADDRESS: Final = Rate(240, 240)
READ_BY_LINK: Final = Rate(150, 60)
WRITE_BY_ADDRESS: Final = Rate(40, 20)
WRITE_BY_LINK: Final = Rate(12, 6)


class Buckets:
    """Buckets of one rate, by key."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = monotonic, most: int = MOST_BUCKETS) -> None:
        """`clock` counts seconds."""
        self._rate = rate
        self._clock = clock
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> bool:
        """Take a token from the bucket of `key`; False: it is empty."""
        now = self._clock()
        left, since = self._buckets.pop(key, (float(self._rate.burst), now))
        left = min(float(self._rate.burst), left + (now - since) * self._rate.per_minute / 60)
        allowed = left >= 1
        self._buckets[key] = (left - 1 if allowed else left, now)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return allowed

    def __len__(self) -> int:
        return len(self._buckets)


class Limits:
    """The limits of the page: reading and writing, by address and by link."""

    def __init__(self, proxies: Sequence[Network], clock: Callable[[], float] = monotonic) -> None:
        self._proxies = proxies
        self._by_address = {False: Buckets(READ_BY_ADDRESS, clock), True: Buckets(WRITE_BY_ADDRESS, clock)}
        self._by_link = {False: Buckets(READ_BY_LINK, clock), True: Buckets(WRITE_BY_LINK, clock)}

    def allow(self, request: Request, link: bytes | None) -> bool:
        """Whether this request may be answered. `link` is the digest of a link that is ours."""
        writes = request.method == "POST"
        allowed = self._by_address[writes].take(visitor(request, self._proxies))
        return allowed and (link is None or self._by_link[writes].take(link.hex()))


def visitor(request: Request, proxies: Sequence[Network]) -> str:
    """Whom a limit counts: the nearest address that is no proxy of ours; of IPv6 its network of 64 bits."""
    peer = request.client.host if request.client else ""
    hops = [peer, *reversed(_forwarded(request))]
    for hop in hops:
        try:
            address = ipaddress.ip_address(hop.strip())
        except ValueError:
            return peer
        if not any(address in network for network in proxies):
            return _network(hop.strip()) if address.version == 6 else str(address)
    return peer


def _network(address: str) -> str:
    return str(ipaddress.ip_network(f"{address.partition('%')[0]}/64", strict=False))


def _forwarded(request: Request) -> list[str]:
    return ",".join(request.headers.getlist("x-forwarded-for")).split(",")[-10:]
