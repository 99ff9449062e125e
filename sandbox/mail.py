"""One received mail: what came over the wire, read for people, and its form on disk."""

import email
import email.policy
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import cast

# What a mail server writes on top of a mail it delivers (RFC 5321, 4.4), and so what a file begins with.
_TRACE_END = b"Received: by dunning-inbox; "


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it was received.

    Attributes:
        number: counts from 1 in the order of arrival.
        received_at: when it arrived, by the machine's clock.
        date: the simulated time it was sent at, where it names one; else `received_at`.
        sender, recipients: of the envelope (MAIL FROM, RCPT TO), not of the headers.
        raw: the bytes as sent.
        message: `raw`, parsed.
    """

    number: int
    received_at: datetime
    date: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes = field(repr=False)
    message: EmailMessage = field(repr=False, compare=False)

    @property
    def subject(self) -> str:
        """The subject, decoded; empty when there is none."""
        return str(self.message.get("Subject", ""))

    @property
    def text(self) -> str:
        """The plain text part, decoded; empty when there is none."""
        return self._body("plain")

    @property
    def html(self) -> str:
        """The HTML part, decoded; empty when there is none."""
        return self._body("html")

    @property
    def simulated(self) -> bool:
        """Whether the mail names the simulated time it was sent at."""
        return self.date != self.received_at

    def headers(self) -> list[tuple[str, str]]:
        """All headers in their order, decoded."""
        return [(name, str(value)) for name, value in self.message.items()]

    def is_to(self, address: str) -> bool:
        """Whether the envelope names this recipient."""
        return address.casefold() in (recipient.casefold() for recipient in self.recipients)

    def _body(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        if part is None:
            return ""
        payload = cast(bytes, part.get_payload(decode=True))
        try:
            return payload.decode(part.get_content_charset("utf-8"), "replace")
        except LookupError:  # a character set nobody knows
            return payload.decode("latin-1")


def receive(
    number: int,
    raw: bytes,
    sender: str,
    recipients: tuple[str, ...],
    received_at: datetime,
    clock_header: str,
) -> Mail:
    """Read a mail that has just arrived, or was kept on disk."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    date = _moment(message.get(clock_header)) or received_at
    return Mail(number, received_at, date, sender, recipients, raw, message)


def to_file(mail: Mail) -> bytes:
    """The mail as an .eml file: the envelope as trace headers, then the mail as sent."""
    lines = [f"Return-Path: <{mail.sender}>"]
    lines += [f"Delivered-To: {recipient}" for recipient in mail.recipients]
    trace = "".join(f"{line}\r\n" for line in lines).encode()
    return trace + _TRACE_END + f"{mail.received_at.isoformat()}\r\n".encode() + mail.raw


def from_file(number: int, content: bytes, clock_header: str) -> Mail:
    """Read what `to_file` wrote; ValueError for any other content."""
    trace, mark, rest = content.partition(_TRACE_END)
    moment, _, raw = rest.partition(b"\r\n")
    sender = re.search(rb"^Return-Path: <(.*)>\r$", trace, re.MULTILINE)
    if not mark or sender is None:
        raise ValueError("not a mail of this inbox")
    recipients = re.findall(rb"^Delivered-To: (.*)\r$", trace, re.MULTILINE)
    received_at = datetime.fromisoformat(moment.decode())
    return receive(
        number,
        raw,
        sender[1].decode(),
        tuple(recipient.decode() for recipient in recipients),
        received_at,
        clock_header,
    )


def _moment(header: object) -> datetime | None:
    """The time a header names, in ISO 8601 or as the Date header writes it; None when it names none."""
    text = str(header).strip()
    try:
        moment = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
