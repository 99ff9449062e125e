"""Amazon's messages, once their signature holds: certificates are fetched, subscriptions confirmed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import httpx

from dunning.results import MailResult
from providers.lookup import ProviderUnavailableError
from providers.mail import ses, sns

TIMEOUT = 5.0  # seconds
LONGEST = 64 * 1024  # bytes of an answer; a certificate has two thousand
MOST_CERTIFICATES = 16

Fetch = Callable[[str], Awaitable[bytes]]


class SesReader:
    """Reads messages of `topics` (ARNs) alone. Keeps certificates: Amazon changes them about once a year."""

    def __init__(self, topics: Sequence[str], fetch: Fetch | None = None) -> None:
        """`fetch` gets what is at an address; raises ProviderUnavailableError."""
        self._topics = frozenset(topics)
        self._fetch = fetch or get
        self._certificates: dict[str, bytes] = {}

    async def read(self, message: Mapping[str, Any]) -> list[MailResult]:
        """What it says. Raises NotGenuineError, MalformedEventError, ProviderUnavailableError."""
        topic = message.get("TopicArn")
        if not isinstance(topic, str) or topic not in self._topics:
            raise sns.NotGenuineError("topic")
        sns.verify(message, await self._certificate(sns.certificate_url(message)))
        if message["Type"] == sns.CONFIRMATION:
            await self._fetch(sns.confirmation_url(message))
            return []
        return ses.normalise(message)

    async def _certificate(self, url: str) -> bytes:
        if url not in self._certificates:
            if len(self._certificates) >= MOST_CERTIFICATES:
                self._certificates.clear()
            self._certificates[url] = await self._fetch(url)
        return self._certificates[url]


async def get(url: str) -> bytes:
    """What is at an address that was found to be Amazon's: no redirect is followed, no long answer read.

    Raises ProviderUnavailableError for anything but a short 200.
    """
    try:
        async with (
            httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False) as client,
            client.stream("GET", url) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise ProviderUnavailableError(f"HTTP {answer.status_code}")
            body = b""
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > LONGEST:
                    raise ProviderUnavailableError("an answer that is too long")
            return body
    except httpx.HTTPError as error:
        raise ProviderUnavailableError(type(error).__name__) from None
