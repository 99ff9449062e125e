"""Links that a billing system tells us, before they stand in a mail."""

from __future__ import annotations

from urllib.parse import urlsplit

LONGEST = 2_048


def pay_link(url: str | None) -> str | None:
    """The link if it is a plain https address, else None: it costs a button, and never an event."""
    if url is None or len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # urllib parses the port only when asked
    except ValueError:
        return None
    plain = parts.scheme == "https" and parts.hostname and parts.username is None and parts.password is None
    return url if plain else None
