"""Checks of single values. Each returns the value or raises ValueError, whose message never shows it."""

import ipaddress
import re
from base64 import b64decode
from email.utils import parseaddr
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, SecretStr

_ADDRESS = re.compile(r"[^@\s<>,;]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")


def is_loopback(host: str) -> bool:
    """True for localhost and the loopback addresses: traffic to them never leaves the machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def split_url(value: str, schemes: tuple[str, ...]) -> SplitResult:
    """The URL's parts; ValueError when it does not parse or its scheme is not one of `schemes`."""
    try:
        parts = urlsplit(value)
        _ = parts.port  # urllib parses the port only when asked
    except ValueError as error:
        raise ValueError("is not a URL that can be read") from error
    if parts.scheme not in schemes:
        raise ValueError("must start with " + " or ".join(f"{scheme}://" for scheme in schemes))
    return parts


def check_link(value: str) -> str:
    """An https link, or http to this machine (sandbox and tests)."""
    parts = split_url(value, ("https", "http"))
    if not parts.hostname:
        raise ValueError("has no host name")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must start with https:// (http:// is for loopback addresses only)")
    return value


def check_secret_link(value: SecretStr) -> SecretStr:
    """As `check_link`, for links that are secrets themselves."""
    check_link(value.get_secret_value())
    return value


def check_address(value: str) -> str:
    """A bare mail address. Full RFC 5322 is not wanted here: one mailbox, no comments, no line breaks."""
    if not _ADDRESS.fullmatch(value):
        raise ValueError("is not a mail address")
    return value


def check_mailbox(value: str) -> str:
    """A mail address, with or without a display name: `Acme Billing <billing@acme.example>`."""
    if any(ord(character) < 32 for character in value):
        raise ValueError("contains control characters")
    _, address = parseaddr(value)
    check_address(address)
    return value


def split_secret(value: SecretStr) -> tuple[str, str]:
    """`name=secret` as (name, secret); without a `=` all of it is the name."""
    name, _, secret = value.get_secret_value().partition("=")
    return name, secret


def check_color(value: str) -> str:
    """A CSS colour in six hexadecimal digits; mail programs do not understand much else."""
    if not _COLOR.fullmatch(value):
        raise ValueError("is not a colour in six hexadecimal digits")
    return value


def check_bearer_key(value: SecretStr) -> SecretStr:
    """At least 16 characters that can stand in an Authorization header."""
    key = value.get_secret_value()
    if len(key) < 16:
        raise ValueError("holds a key shorter than 16 characters")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("holds a key with characters that cannot stand in a header")
    return value


def check_signing_secret(value: SecretStr) -> SecretStr:
    """One of Stripe's webhook signing secrets. An empty one would let anybody sign events."""
    secret = value.get_secret_value()
    if not secret.startswith("whsec_"):
        raise ValueError(
            "holds a secret that does not start with whsec_" if secret else "holds an empty secret"
        )
    if len(secret) == len("whsec_"):
        raise ValueError("holds a secret with nothing after whsec_")
    return value


def check_svix_secret(value: SecretStr) -> SecretStr:
    """A signing secret of Svix, as Resend shows it: whsec_ and at least 16 bytes of base64."""
    secret = value.get_secret_value()
    if not secret.startswith("whsec_"):
        raise ValueError("holds a secret that does not start with whsec_")
    try:
        key = b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise ValueError("holds a secret that is not base64 after whsec_") from None
    if len(key) < 16:
        raise ValueError("holds a secret that is too short to be one")
    return value


Link = Annotated[str, AfterValidator(check_link)]
SecretLink = Annotated[SecretStr, AfterValidator(check_secret_link)]
Address = Annotated[str, AfterValidator(check_address)]
Mailbox = Annotated[str, AfterValidator(check_mailbox)]
Color = Annotated[str, AfterValidator(check_color)]
BearerKey = Annotated[SecretStr, AfterValidator(check_bearer_key)]
SigningSecret = Annotated[SecretStr, AfterValidator(check_signing_secret)]
SvixSecret = Annotated[SecretStr, AfterValidator(check_svix_secret)]
