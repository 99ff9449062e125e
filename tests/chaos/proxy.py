"""Between our processes and Redis: it passes everything on, but for replies that it is told to swallow.

The command has run by then, and whoever sent it cannot know: the connection ends in place of the answer.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHUNK = 65_536


class Proxy:
    """Listens on a TCP port of its own, in a thread of its own.

    `upstream` is the socket that new connections lead to, `share` the part of the replies that are cut; both
    may be changed at any time. `cuts` counts.
    """

    def __init__(self, upstream: Path, seed: int = 7) -> None:
        """Nothing listens yet."""
        self.upstream = upstream
        self.share = 0.0
        self.cuts = 0
        self.port = 0
        self._random = random.Random(seed)  # noqa: S311  # chance, not secrecy

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, to_there = await asyncio.open_unix_connection(self.upstream)
        except OSError:
            writer.close()
            return
        ways = [
            asyncio.create_task(self._pass_on(reader, to_there)),
            asyncio.create_task(self._pass_on(there, writer, replies=True)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for end in (writer, to_there):
            end.close()

    async def _pass_on(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, replies: bool = False
    ) -> None:
        try:
            while said := await source.read(CHUNK):
                if replies and self._random.random() < self.share:
                    self.cuts += 1
                    return
                to.write(said)
                await to.drain()
        except OSError:
            return  # one end is gone, and so is the connection


@contextmanager
def proxy_to(upstream: Path) -> Iterator[Proxy]:
    """A proxy while the block runs."""
    proxy, loop = Proxy(upstream), asyncio.new_event_loop()
    server = loop.run_until_complete(proxy.listen())
    thread = threading.Thread(target=loop.run_forever, name="proxy", daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
