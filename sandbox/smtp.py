"""How the inbox answers each SMTP command, and what it does wrong on request."""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from typing import Literal

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.mailbox import Mailbox

_PAGES_SECONDS = 0.2  # mails that arrive together share one rewriting of the lists


@dataclass(frozen=True, slots=True)
class Fault:
    """What to do wrong, once, at which command; `stored` keeps the mail nevertheless.

    A server that hangs does so for `seconds`, then breaks the connection.
    """

    kind: Literal["refuse", "hang", "drop"]
    at: Literal["rcpt", "data"]
    reply: str = ""
    stored: bool = False
    seconds: float = math.inf


Fate = Callable[[bytes], Fault | None]


class Handler:
    """Keeps each mail in the mailbox; aiosmtpd calls the methods by their names."""

    def __init__(self, mailbox: Mailbox, faults: deque[Fault], fate: Fate) -> None:
        """Keep mails in `mailbox`; the first of the `faults` concerns the next mail, else `fate` does."""
        self._mailbox = mailbox
        self._faults = faults
        self._fate = fate
        self._pages_due = False
        self.key_header: str | None = None
        self.keys: set[str] = set()

    async def handle_RCPT(  # noqa: N802  named by aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept the recipient, or refuse as asked."""
        fault = self._next("rcpt")
        if fault is not None:
            return fault.reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 accepted"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail, or fail as asked."""
        fault = self._next("data") or self._fate(envelope.original_content or b"")
        if fault is None or fault.stored:
            self._keep(envelope)
        if fault is None:
            return "250 2.0.0 kept"
        if fault.kind == "hang":
            await asyncio.sleep(fault.seconds)  # or until the other side closes the connection
        if fault.kind != "refuse" and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return fault.reply

    def _next(self, at: Literal["rcpt", "data"]) -> Fault | None:
        return self._faults.popleft() if self._faults and self._faults[0].at == at else None

    def _keep(self, envelope: Envelope) -> None:
        content = envelope.original_content or b""
        if self.key_header and self._is_known(content, self.key_header):
            return
        self._mailbox.add(content, envelope.mail_from or "", tuple(envelope.rcpt_tos))
        if not self._pages_due:
            self._pages_due = True
            asyncio.get_running_loop().call_later(_PAGES_SECONDS, self._write_pages)

    def _is_known(self, content: bytes, header: str) -> bool:
        """A mail service that knows keys takes a second mail with the same one, and delivers it to nobody."""
        key = str(message_from_bytes(content).get(header, ""))
        known = key in self.keys
        self.keys.add(key)
        return known and bool(key)

    def _write_pages(self) -> None:
        self._pages_due = False
        self._mailbox.write_pages()
