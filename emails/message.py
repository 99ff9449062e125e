"""From a rendered mail to the message that goes over the wire: the same bytes whenever it is built again."""

import re
from collections.abc import Mapping
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

from emails.addresses import parse_address
from emails.reference import REFERENCE_HEADER, reference
from emails.render import RenderedMail

_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
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
) -> EmailMessage:
    """Build the message; equal arguments give equal bytes.

    `sender`, `recipient` and `reply_to` are `a@b.example` or `Name <a@b.example>`. `key` is the mail's
    semantic key and becomes its Message-ID on `domain`; `thread_key` is the key of the first mail of the
    thread. `date` must be aware. Raises AddressError, HeaderError, or ValueError for a naive date.
    """
    if date.tzinfo is None:
        raise ValueError("the date of a message needs a time zone")
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = parse_address(sender)
    message["To"] = parse_address(recipient)
    if reply_to:
        message["Reply-To"] = parse_address(reply_to)
    message["Subject"] = _one_line(rendered.subject)
    message["Date"] = format_datetime(date)
    message["Message-ID"] = message_id(key, domain)
    if thread_key and thread_key != key:
        message["In-Reply-To"] = message["References"] = message_id(thread_key, domain)
    # RFC 3834: no holiday replies; the second header says the same to Exchange.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message[REFERENCE_HEADER] = reference(key)
    for name, value in (extra_headers or {}).items():
        if name.lower() in _OURS or not _HEADER_NAME.fullmatch(name):
            raise HeaderError(name)
        message[name] = _one_line(value)
    # Quoted-printable passes every server unchanged and stays readable.
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    # Left alone, the boundary would be random.
    message.set_boundary(f"=_{reference(key)}")
    return message


def _one_line(value: str) -> str:
    """No control character survives, so a value can never start a header of its own."""
    return " ".join("".join(char if char.isprintable() else " " for char in value).split())
