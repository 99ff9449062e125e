"""From a rendered mail to the message that goes over the wire: the same bytes whenever it is built again.

Written by hand: the library reads every header again that it is given, which takes longer than all else that
a mail needs.
"""

import re
from binascii import b2a_qp
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.utils import format_datetime, quote

from emails.addresses import parse_address
from emails.reference import REFERENCE_HEADER, reference
from emails.render import RenderedMail

_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
# RFC 5322, 2.1.1: lines should not be longer, which what needs no encoding is held against.
_LINE = 78
# A name of these alone stands in an address as it is (RFC 5322, 3.2.3), with spaces between them.
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_ENCODED = "=?"
_OURS = frozenset(
    {
        "auto-submitted",
        "content-transfer-encoding",
        "content-type",
        "date",
        "from",
        "in-reply-to",
        "message-id",
        "mime-version",
        "references",
        "reply-to",
        "subject",
        "to",
        "x-auto-response-suppress",
        "x-dunning-reference",
    }
)


class HeaderError(ValueError):
    """A header that is not one, or that this module writes itself."""


def message_id(key: str, domain: str) -> str:
    """The Message-ID of the mail with this key: a second copy can be recognised as one."""
    return f"<dunning.{reference(key)}@{domain}>"


def build_message(
    rendered: RenderedMail,
    *,
    sender: str,
    recipient: str,
    reply_to: str | None,
    key: str,
    domain: str,
    thread_key: str | None,
    date: datetime,
    extra_headers: Mapping[str, str] | None = None,
) -> bytes:
    """Build the message; equal arguments give equal bytes, with CRLF at the end of each line.

    `sender`, `recipient` and `reply_to` are `a@b.example` or `Name <a@b.example>`. `key` is the mail's
    semantic key and becomes its Message-ID on `domain`; `thread_key` is the key of the first mail of the
    thread. `date` must be aware. Raises AddressError, HeaderError, or ValueError for a naive date.
    """
    if date.tzinfo is None:
        raise ValueError("the date of a message needs a time zone")
    mark = reference(key)
    boundary = f"=_{mark}"  # quoted-printable cannot contain it
    lines = [_address("From", sender), _address("To", recipient)]
    if reply_to:
        lines.append(_address("Reply-To", reply_to))
    lines += [
        _text("Subject", rendered.subject),
        f"Date: {format_datetime(date)}",
        f"Message-ID: {message_id(key, domain)}",
    ]
    if thread_key and thread_key != key:
        first = message_id(thread_key, domain)
        lines += [f"In-Reply-To: {first}", f"References: {first}"]
    # RFC 3834: no holiday replies; the second header says the same to Exchange.
    lines += ["Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All"]
    lines += [
        f"{REFERENCE_HEADER}: {mark}",
        *_more(extra_headers or {}),
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"',
        "",
        f"--{boundary}",
        *_part("plain", rendered.text),
        f"--{boundary}",
        *_part("html", rendered.html),
        f"--{boundary}--",
        "",
    ]
    return "\r\n".join(lines).encode("ascii")


def _more(headers: Mapping[str, str]) -> Iterator[str]:
    for name, value in headers.items():
        if name.lower() in _OURS or not _HEADER_NAME.fullmatch(name):
            raise HeaderError(name)
        yield _text(name, value)


def _part(subtype: str, content: str) -> tuple[str, ...]:
    """Quoted-printable passes every server unchanged and stays readable."""
    lines = content.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    return (
        f'Content-Type: text/{subtype}; charset="utf-8"',
        "Content-Transfer-Encoding: quoted-printable",
        "",
        b2a_qp(lines.encode()).decode("ascii"),
    )


def _text(name: str, value: str) -> str:
    """No control character survives, so a value can never start a header of its own."""
    line = " ".join("".join(char if char.isprintable() else " " for char in value).split())
    header = f"{name}: {line}"
    if line.isascii() and len(header) <= _LINE and _ENCODED not in line:
        return header
    return f"{name}: {_encoded(name, line)}"


def _address(name: str, value: str) -> str:
    address = parse_address(value)
    return f"{name}: {_shown(name, address)}"


def _shown(name: str, address: Address) -> str:
    shown = address.display_name
    if not shown:
        return address.addr_spec
    if not shown.isascii() or _ENCODED in shown or len(shown) > _LINE - len(name) - 4:
        shown = _encoded(name, shown)
    elif not _ATOMS.fullmatch(shown):
        shown = f'"{quote(shown)}"'
    return f"{shown} <{address.addr_spec}>"


def _encoded(name: str, value: str) -> str:
    """RFC 2047, over as many lines as it needs."""
    return Header(value, "utf-8", header_name=name).encode(linesep="\r\n")
