"""The ways out: SMTP for mails; for the team a Slack-compatible chat, and channels of Apprise by name.

`Unanswered` is the honest word for "it may have arrived": a mail with that answer is never sent again.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import httpx

from emails.addresses import AddressError
from emails.brand import Brand
from emails.delivery import Accepted, Deferred, Delivery, Rejected
from emails.message import build_message
from emails.render import RenderedMail
from emails.services import headers
from metrics.instruments import delivery_seconds
from outbound.channels import tell
from outbound.mentions import quiet, quiet_plain
from portal.links import Pages
from tracing import spans

CHAT_TIMEOUT = 10.0  # seconds


@cache
def _trust() -> ssl.SSLContext:
    """Read once: to parse all those certificates takes as long as to send some mails."""
    return ssl.create_default_context()


class BusyError(Exception):
    """The mail server is still at work on the messages before."""


class Transport(Protocol):
    """What takes a finished message and says what became of it."""

    async def send(self, message: bytes) -> Delivery: ...


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom our mails come from, and which page they lead to.

    `pages` are our own pages for customers, if there are any; else it is the provider's page or, where it has
    none, `billing_page_url`. `templates` is a folder of the merchant's own templates, which stand in for ours
    of the same name. `headers` are further ones for each mail: see `emails.services`.
    """

    address: str
    reply_to: str | None
    domain: str
    brand: Brand
    timezone: ZoneInfo
    livemode: bool
    billing_page_url: str | None = None
    team_address: str | None = None
    templates: Path | None = None
    pages: Pages | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Courier:
    """Sends stored messages exactly as they were stored.

    There are as many `turns` as mails that `transport` takes at the same time.
    """

    sender: Sender
    transport: Transport
    chat_url: str | None = None
    channels: Mapping[str, str] = field(default_factory=dict, repr=False)
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1), repr=False, compare=False)

    @asynccontextmanager
    async def turn(self, channel: str, patience: float) -> AsyncIterator[None]:
        """The mail server's attention, for a message on each line: what waits for it is not handed over yet.

        Raises BusyError when it takes longer than `patience` (seconds). The others take many at once.
        """
        if channel != "mail":
            yield
            return
        try:
            async with asyncio.timeout(patience):
                await self.turns.acquire()
        except TimeoutError:
            raise BusyError from None
        try:
            yield
        finally:
            self.turns.release()

    async def send(self, channel: str, key: str, recipient: str | None, stored: dict[str, Any]) -> Delivery:
        """Send one stored message. `key` makes the Message-ID, so a repeated message is recognisable."""
        began = perf_counter()
        with spans.span("deliver", channel=channel):
            answer = await self._send(channel, key, recipient, stored)
            outcome = type(answer).__name__.lower()
            spans.note(outcome=outcome)
        named = channel if channel in ("mail", "chat") else "channel"
        delivery_seconds.labels(named, outcome).observe(perf_counter() - began)
        return answer

    async def _send(self, channel: str, key: str, recipient: str | None, stored: dict[str, Any]) -> Delivery:
        if channel == "chat":
            return await self._chat(stored)
        if channel != "mail":
            return await self._team(channel, stored)
        rendered = RenderedMail(stored["subject"], stored["text"], stored["html"])
        try:
            message = self._message(rendered, key, recipient or "", stored)
        except AddressError as error:
            return Rejected(553, str(error))
        return await self.transport.send(message)

    def _message(self, rendered: RenderedMail, key: str, recipient: str, stored: dict[str, Any]) -> bytes:
        return build_message(
            rendered,
            sender=self.sender.address,
            recipient=recipient,
            reply_to=self.sender.reply_to,
            key=key,
            domain=self.sender.domain,
            thread_key=stored["thread"],
            date=datetime.fromisoformat(stored["date"]),
            extra_headers=headers(self.sender.headers, key),
        )

    async def _team(self, channel: str, stored: dict[str, Any]) -> Delivery:
        """As with the chat: what was not taken for sure is tried again."""
        url = self.channels.get(channel)
        if url is None:
            return Rejected(0, f"no channel {channel} is configured any more")
        told = await tell(url, quiet_plain(stored["title"]), quiet_plain(stored["text"]))
        return Accepted("") if told.taken else Deferred(None, told.why)

    async def _chat(self, stored: dict[str, Any]) -> Delivery:
        """A team told twice is better than a team not told: everything but an answer is tried again."""
        if self.chat_url is None:
            return Rejected(0, "no chat is configured any more")
        try:
            async with httpx.AsyncClient(timeout=CHAT_TIMEOUT, verify=_trust()) as client:
                answer = await client.post(self.chat_url, json={"text": quiet(stored["text"])})
        except httpx.HTTPError as error:
            return Deferred(None, type(error).__name__)
        if answer.is_success:
            return Accepted(str(answer.status_code))
        if answer.status_code in (408, 429) or answer.status_code >= 500:
            return Deferred(answer.status_code, "the chat is out of order")
        return Rejected(answer.status_code, "the chat refused the message")
