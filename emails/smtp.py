"""Handing a message to a mail server over one kept connection, knowing exactly when it was handed over."""

import asyncio
import socket
import ssl
from email.parser import BytesHeaderParser

from aiosmtplib import SMTP
from aiosmtplib.errors import (
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from emails.addresses import AddressError, parse_address
from emails.delivery import Accepted, Deferred, Delivery, Rejected, Unanswered
from emails.smtp_url import SmtpUrl

# Seconds an unused connection is kept: shorter than any server's own patience (RFC 5321 asks for 300).
KEEP_IDLE = 30.0

_START_INPUT = 354
_SHUTTING_DOWN = 421
# About our credentials, not about the message (RFC 4954): to be mended by an operator, then sent.
_NOT_LET_IN = frozenset({530, 534, 535, 538})
_MALFORMED = -1

_FAILURES = (SMTPException, OSError)


class SmtpTransport:
    """One connection to one mail server: made when needed, kept while busy, closed when idle.

    Belongs to the event loop it first sends in. Sends queue up behind one another. `timeout` is in seconds
    and bounds each answer of the server. Raises ValueError for a malformed `url`.
    """

    def __init__(
        self,
        url: str,
        timeout: float = 30.0,
        *,
        keep_idle: float = KEEP_IDLE,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self._server = SmtpUrl.parse(url)
        self._timeout = timeout
        self._keep_idle = keep_idle
        self._tls_context = tls_context
        self._client: SMTP | None = None
        self._lock = asyncio.Lock()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    async def send(self, message: bytes) -> Delivery:
        """Send to the one address in To, from the one in From; never raises for a failed delivery.

        `message` has CRLF at the end of each line. When the task is cancelled meanwhile, treat it as
        `Unanswered`.
        """
        headers = BytesHeaderParser().parsebytes(message.partition(b"\r\n\r\n")[0])
        try:
            sender, recipient = _mailbox(headers["From"]), _mailbox(headers["To"])
        except AddressError as error:
            return Rejected(553, str(error))
        async with self._lock:
            self._stop_idle_timer()
            try:
                return await self._deliver(sender, recipient, message)
            except BaseException:
                # Cancelled half way: the answer still to come would be taken for that of the next command.
                self._drop()
                raise
            finally:
                self._start_idle_timer()

    async def close(self) -> None:
        """Say goodbye and close; the next send connects again."""
        async with self._lock:
            self._stop_idle_timer()
            client, self._client = self._client, None
            if client is None:
                return
            try:
                await client.quit()
            except _FAILURES:
                client.close()

    async def _deliver(self, sender: str, recipient: str, content: bytes) -> Delivery:
        reused = self._client is not None and self._client.is_connected
        try:
            client = await self._connected()
            await self._announce(client, sender, recipient)
        except SMTPResponseException as refusal:
            if not (reused and refusal.code == _SHUTTING_DOWN):
                await self._reset()
                return _refused(refusal)
        except _FAILURES as failure:
            self._drop()
            if not (reused and isinstance(failure, SMTPServerDisconnected)):
                return Deferred(None, str(failure))
        else:
            return await self._hand_over(client, content)
        # The server had given up the kept connection, and nothing but an envelope had been sent over it.
        self._drop()
        return await self._deliver(sender, recipient, content)

    async def _connected(self) -> SMTP:
        if self._client is not None and self._client.is_connected:
            return self._client
        client = open_client(self._server, timeout=self._timeout, tls_context=self._tls_context)
        await client.connect()
        self._client = client
        return client

    async def _announce(self, client: SMTP, sender: str, recipient: str) -> None:
        """Everything before the message itself: whatever goes wrong here, the server does not have it."""
        await client.mail(sender)
        await client.rcpt(recipient)
        go_ahead = await client.execute_command(b"DATA")
        if go_ahead.code != _START_INPUT:
            raise SMTPDataError(go_ahead.code, go_ahead.message)

    async def _hand_over(self, client: SMTP, content: bytes) -> Delivery:
        """The message itself: from its first byte on, only the server's answer says what became of it."""
        protocol = client.protocol
        try:
            if protocol is None:
                raise SMTPServerDisconnected("connection lost before the message")
            protocol.write(_dot_stuffed(content))
        except SMTPServerDisconnected as failure:
            self._drop()
            return Deferred(None, str(failure))
        try:
            answer = await protocol.read_response(timeout=self._timeout)
        except _FAILURES as failure:
            self._drop()
            return Unanswered(str(failure))
        if 200 <= answer.code < 300:
            return Accepted(f"{answer.code} {answer.message}")
        if 400 <= answer.code < 600:
            return _refused(SMTPDataError(answer.code, answer.message))
        self._drop()
        return Unanswered(f"{answer.code} {answer.message}")

    async def _reset(self) -> None:
        """Ready the connection for the next message after a refusal."""
        try:
            if self._client is not None:
                await self._client.rset()
        except _FAILURES:
            self._drop()

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _start_idle_timer(self) -> None:
        if self._client is not None:
            loop = asyncio.get_running_loop()
            self._idle_timer = loop.call_later(self._keep_idle, self._close_idle)

    def _stop_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _close_idle(self) -> None:
        self._closing = asyncio.get_running_loop().create_task(self.close())


def open_client(server: SmtpUrl, *, timeout: float, tls_context: ssl.SSLContext | None) -> SMTP:
    """A client that is not connected yet. `timeout` in seconds bounds each answer."""
    return SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        local_hostname=_own_name(),
        timeout=timeout,
        use_tls=server.tls == "implicit",
        start_tls={"required": True, "offered": None}.get(server.tls, False),
        tls_context=tls_context,
    )


def _mailbox(header: str | None) -> str:
    """Of an address that may be spread over several lines."""
    return parse_address(" ".join((header or "").split())).addr_spec


def _own_name() -> str:
    """The machine's name for EHLO, without asking DNS as the library would."""
    name = socket.gethostname()
    return name if name.isascii() and name.isprintable() and " " not in name else "localhost"


def _refused(refusal: SMTPResponseException) -> Delivery:
    """5xx about the recipient or the message is final; 4xx, and anything about us, may be tried again."""
    about_the_mail = isinstance(refusal, SMTPRecipientRefused | SMTPDataError)
    if about_the_mail and 500 <= refusal.code < 600 and refusal.code not in _NOT_LET_IN:
        return Rejected(refusal.code, refusal.message)
    return Deferred(None if refusal.code == _MALFORMED else refusal.code, refusal.message)


def _dot_stuffed(content: bytes) -> bytes:
    """RFC 5321, 4.5.2: a line that starts with a dot gets a second one; a lone dot ends the message."""
    ended = content if content.endswith(b"\r\n") else content + b"\r\n"
    return (b"." if ended.startswith(b".") else b"") + ended.replace(b"\r\n.", b"\r\n..") + b".\r\n"
