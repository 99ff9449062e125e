"""Where requests may go."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from outbound.addresses import ForbiddenError, Rules, check, is_public, plain, read_url

PUBLIC = "8.8.8.8 93.184.216.34 2606:4700:4700::1111 2a00:1450:4001::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8"
PRIVATE = """
    0.0.0.0 10.0.0.1
    100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.170
    192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1
    255.255.255.255 :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::10.0.0.1
    64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: 2002:a00:1:: 3fff::1 5f00::1
    fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1
"""


@pytest.mark.parametrize("address", PUBLIC.split())
def test_an_address_of_the_internet_is_reached(address: str) -> None:
    """IPv4, IPv6, and IPv4 written as IPv6."""
    assert is_public(plain(ip_address(address)))


@pytest.mark.parametrize("address", PRIVATE.split())
def test_no_other_address_is_reached(address: str) -> None:
    """Loopback, private, link-local, metadata, shared, reserved, multicast, tunnels: in whatever notation."""
    with pytest.raises(ForbiddenError, match=r"shop\.example is at a private address"):
        check(read_url("https://shop.example/"), [address], Rules())


def test_one_private_address_among_others_is_enough() -> None:
    """A name that also stands for a private address is not tried at its public one."""
    with pytest.raises(ForbiddenError):
        check(read_url("https://shop.example/"), ["8.8.8.8", "10.0.0.1"], Rules())


def test_a_network_of_ones_own_may_be_allowed() -> None:
    """That one, and no other; by http:// only where that is allowed as well, and only there."""
    ours = (ip_network("10.1.0.0/16"),)
    check(read_url("https://shop.example/"), ["10.1.2.3", "::ffff:10.1.2.3", "8.8.8.8"], Rules(ours))
    check(read_url("http://shop.example/"), ["10.1.2.3"], Rules(ours, plain=True))
    for url, address, rules in (
        ("https://shop.example/", "10.2.0.1", Rules(ours)),
        ("http://shop.example/", "10.1.2.3", Rules(ours)),
        ("http://shop.example/", "8.8.8.8", Rules(ours, plain=True)),
    ):
        with pytest.raises(ForbiddenError):
            check(read_url(url), [address], rules)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://shop.example/", "https://"),
        ("shop.example", "https://"),
        ("file:///etc/passwd", "https://"),
        ("https://", "no host"),
        ("https:///hooks", "no host"),
        ("https://user:pass@shop.example/", "no user"),
        ("https://127.0.0.1@shop.example/", "no user"),
        ("https://shop.example/#part", "#"),
        ("https://shop.example/a b", "characters"),
        ("https://shop.example/\r\nx: y", "characters"),
        ("https://shop.example\\@127.0.0.1/", "characters"),
        ("https://bücher.example/", "xn--"),
        ("https://shop.example:99999/", "cannot|can be read"),
        ("https://[::1/", "can be read"),
    ],
)
def test_a_url_that_may_mean_two_things_is_refused(url: str, words: str) -> None:
    """Before anybody asks what its host stands for."""
    with pytest.raises(ForbiddenError, match=words):
        read_url(url)
