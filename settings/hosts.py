"""Addresses that may name several hosts, with commas between them, which the standard library cannot read."""

from urllib.parse import SplitResult, urlsplit

from settings.checks import split_url

Place = tuple[str, int]
"""Host and port."""


def split_hosts(value: str, schemes: tuple[str, ...], port: int) -> tuple[SplitResult, list[Place]]:
    """The URL's parts, and its hosts if there are several: then the parts name none. Fails as `split_url`.

    `port` is that of hosts without one.
    """
    login, at, hosts = urlsplit(value).netloc.rpartition("@")
    if "," not in hosts:
        return split_url(value, schemes), []
    parts = split_url(value.replace(f"{login}{at}{hosts}", f"{login}{at}", 1), schemes)
    return parts, [read_place(each, port) for each in hosts.split(",")]


def read_place(text: str, port: int) -> Place:
    """`host:1234`, `host` or `[::1]:1234`. Raises ValueError."""
    try:
        parts = urlsplit(f"//{text}")
        found = parts.hostname, parts.port or port
    except ValueError as error:
        raise ValueError("names a host that cannot be read: host:port is meant") from error
    if found[0] is None or parts.path or parts.query:
        raise ValueError("names an empty host, or something beside a host: host:port,host:port is meant")
    return found[0], found[1]
