"""A door: one path on which a sender's events come in, and how they are known. Nothing here is heavy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from providers import basic_login
from providers.envelope import Envelope

Header = Callable[[bytes], bytes]
"""A header's value by its name in small letters; empty when there is none."""
Check = Callable[[Header, bytes, float], None]
Read = Callable[[Header, bytes], Envelope]


@dataclass(frozen=True, slots=True)
class Door:
    """For the events of one `source`, or of those that begin so: an envelope's `account` follows a colon.

    `check` is given the headers, the body and the time in unix seconds, and raises BadSignature for what is
    not the sender's; `read` raises BadEnvelope for no event. `login`: strangers are asked to log in (401).
    """

    source: str
    check: Check
    read: Read
    login: bool = False


def body_alone(read: Callable[[bytes], Envelope]) -> Read:
    """For events whose headers say nothing of them."""
    return lambda header, body: read(body)


def logged_in(passwords: Sequence[str]) -> Check:
    """Known by HTTP's basic login with one of the passwords."""
    known = encoded(passwords)

    def check(header: Header, body: bytes, now: float) -> None:
        basic_login.verify(header(basic_login.HEADER), known)

    return check


def encoded(secrets: Sequence[str]) -> list[bytes]:
    """As signatures are made with them."""
    return [secret.encode() for secret in secrets]
