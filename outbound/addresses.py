"""Where a request of ours may go: a URL somebody typed in must not reach what only this machine can reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# All that is given out to hosts on the internet (RFC 4291, IANA's registry); the rest is local or reserved.
_UNICAST = IPv6Network("2000::/3")
# Within it, addresses that stand for an IPv4 address through somebody's relay: no host has one of these.
_TUNNELS = (IPv6Network("2002::/16"),)
# A network without IPv4 reaches it by these (RFC 6052): as good as the address inside.
_NAT64 = IPv6Network("64:ff9b::/96")
# Reserved ranges that some versions of Python's `is_global` call global.
_RESERVED = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("2001::/23"),
    IPv6Network("3fff::/20"),
)


class ForbiddenError(Exception):
    """A request that is not made; the text says why and shows no more than the host."""


@dataclass(frozen=True, slots=True)
class Rules:
    """`private` are networks of one's own that may be reached all the same; `plain`: there even by http."""

    private: Sequence[Network] = ()
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, taken apart."""

    scheme: str
    host: str
    port: int


def read_url(url: str) -> Target:
    """What a URL leads to. Raises ForbiddenError for one that is not followed, whatever it resolves to."""
    parts = _split(url)
    if parts.scheme not in ("https", "http"):
        raise ForbiddenError("the URL must start with https://")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenError("the URL must hold no user and no password")
    if parts.fragment:
        raise ForbiddenError("the URL must have no part after a #")
    if not parts.hostname:
        raise ForbiddenError("the URL has no host")
    return Target(parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))


def _split(url: str) -> SplitResult:
    if not url.isascii() or not url.isprintable() or any(character in url for character in ' "<>\\^`{|}'):
        raise ForbiddenError("the URL has characters that must be written with %, and a host with xn--")
    try:
        parts = urlsplit(url)
        _ = parts.port  # urllib parses the port only when asked
    except ValueError:
        raise ForbiddenError("that is not a URL that can be read") from None
    return parts


def check(target: Target, resolved: Sequence[str], rules: Rules) -> None:
    """Whether a host that resolves to these addresses may be reached. Raises ForbiddenError if not.

    One bad address is enough: a name that also stands for a private one is either a mistake or an attack.
    """
    for text in resolved:
        address = plain(ip_address(text.partition("%")[0]))
        ours = any(address in network for network in rules.private)
        if not ours and not is_public(address):
            raise ForbiddenError(f"{target.host} is at a private address")
        if target.scheme == "http" and not (ours and rules.plain):
            raise ForbiddenError("the URL must start with https://")


def plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, if it does; else itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether it belongs to some host on the internet, as far as the address itself can tell."""
    if any(address in network for network in (*_TUNNELS, *_RESERVED)):
        return False
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast
