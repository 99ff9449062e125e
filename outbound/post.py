"""One signed request to somebody else's server, which may be slow, broken or hostile.

The host is resolved once, every address is judged, and the connection goes to those very addresses; the
certificate is checked against the host's name all the same. Nothing is followed, no proxy of the environment
is used, and of a POST's answer only the status counts.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import httpcore
from httpcore import AsyncNetworkBackend, AsyncNetworkStream

from outbound.addresses import ForbiddenError, Rules, Target, check, read_url

# Seconds.
CONNECT_WITHIN = 3.0
ANSWER_WITHIN = 15.0
# Whoever is still sending its answer gets so much time, and bytes, before we hang up.
READ_WITHIN = 2.0
READ_AT_MOST = 65_536

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host and a port to the IP addresses it stands for. Raises OSError when there are none."""


class UnreachableError(Exception):
    """No answer was had. The text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`retry_after` is that header as it was sent."""

    code: int
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What a GET has brought: all of it, or UnreachableError was raised."""

    code: int
    body: bytes


# Threads of their own: a name server that hangs must not keep wake-ups waiting, which use the loop's.
_RESOLVING = ThreadPoolExecutor(8, thread_name_prefix="resolver")


async def resolve(host: str, port: int) -> list[str]:
    """By the machine's own resolver."""
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_RESOLVING, ask)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True)
class Poster:
    """Sends to where the rules allow. `trust` is what certificates are checked with."""

    rules: Rules = field(default_factory=Rules)
    resolver: Resolver = resolve
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, *, within: float = ANSWER_WITHIN
    ) -> Answer:
        """Send and wait for the head of the answer, `within` so many seconds in all.

        Raises ForbiddenError, and UnreachableError where nobody answers.
        """
        async with self._sent("POST", url, headers, body, within) as response:
            await _see_off(response)
            return _read(response)

    async def get(self, url: str, headers: Mapping[str, str], *, within: float = ANSWER_WITHIN) -> Page:
        """Ask and read all of the answer, up to 64 KiB, `within` so many seconds each. Raises as `post`."""
        async with self._sent("GET", url, headers, b"", within) as response, asyncio.timeout(within):
            return Page(response.status, await _body(response))

    @asynccontextmanager
    async def _sent(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, within: float
    ) -> AsyncIterator[httpcore.Response]:
        """The head of the answer, while the connection lasts."""
        target = read_url(url)
        closing: list[httpcore.AsyncHTTPConnection] = []
        try:
            async with asyncio.timeout(within):
                connection = await self._connection(url, target)
                closing.append(connection)
                request = httpcore.Request(
                    method,
                    url,
                    headers=_all_headers(target, headers, body),
                    content=body,
                    extensions={"timeout": {"connect": CONNECT_WITHIN}},
                )
                response = await connection.handle_async_request(request)
            yield response
        except TimeoutError:
            raise UnreachableError(f"no answer within {within:g} s") from None
        except httpcore.ConnectTimeout:
            raise UnreachableError("no connection within the time for it") from None
        except httpcore.ConnectError as error:
            raise UnreachableError(_no_connection(error)) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise UnreachableError(f"no proper answer ({type(error).__name__})") from None
        finally:
            for each in closing:
                await each.aclose()

    async def _connection(self, url: str, target: Target) -> httpcore.AsyncHTTPConnection:
        try:
            addresses = await self.resolver(target.host, target.port)
        except (OSError, UnicodeError):
            raise UnreachableError(f"{target.host} cannot be resolved") from None
        check(target, addresses, self.rules)
        return httpcore.AsyncHTTPConnection(
            httpcore.URL(url).origin, ssl_context=self.trust, network_backend=_Pinned(addresses)
        )


def _all_headers(target: Target, headers: Mapping[str, str], body: bytes) -> list[tuple[str, str]]:
    host = f"[{target.host}]" if ":" in target.host else target.host
    default = {"https": 443, "http": 80}[target.scheme]
    return [
        ("host", host if target.port == default else f"{host}:{target.port}"),
        ("user-agent", "dunning-worker"),
        *([("content-type", "application/json"), ("content-length", str(len(body)))] if body else []),
        ("connection", "close"),
        *headers.items(),
    ]


async def _see_off(response: httpcore.Response) -> None:
    """Let a well-meaning server finish its sentence. The status has decided, so no fault here counts."""
    read = 0
    with suppress(httpcore.NetworkError, httpcore.ProtocolError, TimeoutError):
        async with asyncio.timeout(READ_WITHIN):
            async for part in response.aiter_stream():
                read += len(part)
                if read > READ_AT_MOST:
                    return


async def _body(response: httpcore.Response) -> bytes:
    read = b""
    async for part in response.aiter_stream():
        read += part
        if len(read) > READ_AT_MOST:
            raise UnreachableError("the answer is too large")
    return read


def _read(response: httpcore.Response) -> Answer:
    later = [value for name, value in response.headers if name.lower() == b"retry-after"]
    return Answer(response.status, later[0].decode("latin-1") if later else None)


def _no_connection(error: Exception) -> str:
    """A certificate's fault is worth telling; what the system says of a connection is not."""
    words = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return "its certificate is not valid: " + words.partition("failed: ")[2].partition(" (")[0]
    return "no TLS connection" if "SSL" in words else "no connection"


class _Pinned(AsyncNetworkBackend):
    """Connects to the addresses that were judged, and asks nobody again what the host's name stands for."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        """Try each address in turn, `timeout` seconds in all. Raises ConnectError or ConnectTimeout."""
        try:
            async with asyncio.timeout(timeout):
                for address in self._addresses:
                    with suppress(httpcore.ConnectError):
                        return await self._network.connect_tcp(
                            address, port, local_address=local_address, socket_options=socket_options
                        )
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        raise httpcore.ConnectError("none of the addresses answers")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


__all__ = ["Answer", "ForbiddenError", "Page", "Poster", "Resolver", "UnreachableError", "resolve"]
