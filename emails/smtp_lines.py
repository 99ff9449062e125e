"""Several lines to one mail server, where one would wait for its answers most of the time."""

import asyncio

from emails.delivery import Delivery
from emails.smtp import SmtpTransport


class SmtpLines:
    """So many connections to the server at `url`, each with one message at a time: see `SmtpTransport`.

    Belongs to the event loop it first sends in. Sends beyond that many queue up.
    """

    def __init__(self, url: str, lines: int) -> None:
        self._free = [SmtpTransport(url) for _ in range(lines)]
        self._places = asyncio.Semaphore(lines)

    async def send(self, message: bytes) -> Delivery:
        """By the line that was used last, so that those which are not needed are closed."""
        async with self._places:
            line = self._free.pop()
            try:
                return await line.send(message)
            finally:
                self._free.append(line)
