"""A real SMTP server in the test's own event loop that misbehaves on demand."""

import asyncio
import ssl
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

CERTIFICATE = Path(__file__).with_name("test_mail_server.pem")

USER, PASSWORD = "dunning@northwind.example", "test p@ss/word"

# MESSAGE is the moment after the whole message has arrived; the others are commands.
Moment = Literal["MAIL", "RCPT", "DATA", "MESSAGE"]


class MailServer:
    """Use as `async with MailServer() as server`; `server.url` is where it listens, on loopback.

    `plan` says what to do at a moment, in order, once each: a reply such as "550 no", "drop" to cut the
    connection, "hang" to say nothing more, "ok" to behave.
    """

    def __init__(
        self,
        plan: Mapping[Moment, list[str]] | None = None,
        *,
        tls: bool = False,
        starttls: bool = False,
        auth: bool = False,
    ) -> None:
        self.messages: list[bytes] = []
        self.recipients: list[str] = []
        self.logins: list[bytes] = []
        self.commands: list[str] = []
        self.open_connections: set[asyncio.BaseTransport] = set()
        self.connections = 0
        self.plan = {moment: deque(steps) for moment, steps in (plan or {}).items()}
        self._tls, self._starttls, self._auth = tls, starttls, auth
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self, **self._options()),
            "127.0.0.1",
            0,
            ssl=server_context() if self._tls else None,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()

    @property
    def url(self) -> str:
        return f"{'smtps' if self._tls else 'smtp'}://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Drop every open connection without a word."""
        for transport in list(self.open_connections):
            transport.abort()  # type: ignore[attr-defined]

    async def until_closed(self) -> None:
        """Wait until no connection is open; fails after five seconds."""
        async with asyncio.timeout(5):
            while self.open_connections:
                self._changed.clear()
                await self._changed.wait()

    def opened(self, transport: asyncio.BaseTransport) -> None:
        self.connections += 1
        self.open_connections.add(transport)

    def closed(self, transport: asyncio.BaseTransport) -> None:
        self.open_connections.discard(transport)
        self._changed.set()

    async def at(self, moment: Moment, transport: asyncio.Transport) -> str | None:
        """The planned reply at this moment, or None to behave."""
        self.commands.append(moment)
        steps = self.plan.get(moment)
        step = steps.popleft() if steps else "ok"
        if step == "drop":
            transport.abort()
        if step in {"drop", "hang"}:
            await asyncio.Event().wait()
        return None if step == "ok" else step

    def _options(self) -> dict[str, Any]:
        return {
            "tls_context": server_context() if self._starttls else None,
            "auth_require_tls": False,
            "authenticator": self._authenticate if self._auth else None,
            "enable_SMTPUTF8": False,
        }

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        self.logins.append(data.login)
        right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)


class _Connection(SMTP):
    """One client's connection; asks the server what to do at each moment."""

    def __init__(self, owner: MailServer, **options: Any) -> None:
        super().__init__(self, hostname="mail.test", **options)
        self._owner = owner
        self._counted: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._counted is None:  # STARTTLS calls this a second time
            self._counted = transport
            self._owner.opened(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._counted is not None:
            self._owner.closed(self._counted)
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        reply = await self._owner.at("DATA", self._wire())
        if reply:
            await self.push(reply)
        else:
            await super().smtp_DATA(arg)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return await self._owner.at("MAIL", self._wire()) or "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return await self._owner.at("RCPT", self._wire()) or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self._owner.messages.append(bytes(envelope.original_content or b""))
        self._owner.recipients.extend(envelope.rcpt_tos)
        return await self._owner.at("MESSAGE", self._wire()) or "250 OK queued as TEST1"

    def _wire(self) -> asyncio.Transport:
        assert isinstance(self.transport, asyncio.Transport)
        return self.transport


def server_context() -> ssl.SSLContext:
    """TLS with the tests' own certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def client_context() -> ssl.SSLContext:
    """A client that trusts the tests' own certificate and no other."""
    return ssl.create_default_context(cafile=str(CERTIFICATE))
