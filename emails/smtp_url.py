"""Where mail goes: `smtp://user:password@host:587?tls=required`, in one setting."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

Tls = Literal["implicit", "required", "offered", "off"]

_PORTS = {"implicit": 465, "required": 587, "offered": 25, "off": 25}


@dataclass(frozen=True, slots=True)
class SmtpUrl:
    """A mail server and how to speak to it.

    `tls`: from the first byte (`smtps://`), STARTTLS or nothing (`?tls=required`, the default as soon as a
    password is sent to another machine), STARTTLS when offered, or never (`?tls=off`).
    """

    host: str
    port: int
    tls: Tls
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises ValueError naming what is wrong, without repeating the URL: it holds a password."""
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("a mail server is written smtp://host:port or smtps://host:port")
        username = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        tls = _tls(parts.scheme, parts.query, guarded=username is not None and not is_local(parts.hostname))
        return cls(parts.hostname, parts.port or _PORTS[tls], tls, username, password)


def _tls(scheme: str, query: str, *, guarded: bool) -> Tls:
    options = parse_qs(query, keep_blank_values=True)
    if options.keys() - {"tls"}:
        raise ValueError("the only option of a mail server URL is tls")
    match scheme, options.get("tls"):
        case "smtps", None:
            return "implicit"
        case "smtp", None:
            return "required" if guarded else "offered"
        case "smtp", ["required"]:
            return "required"
        case "smtp", ["off"]:
            return "off"
        case _:
            raise ValueError("the tls option is required or off, and goes with smtp:// only")


def is_local(host: str) -> bool:
    """Whether it is this machine, as far as the name tells."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
