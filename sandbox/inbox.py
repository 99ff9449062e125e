"""A real SMTP server on loopback that keeps every mail, in memory and as pages to look at.

    with mail_inbox(Path(".dunning/inbox")) as inbox:
        send_to(inbox.url)
        inbox.to("customer@example.com")

As a program: python -m sandbox.inbox --directory DIR [--port 0] [--clock-header X-Dunning-Date]
"""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
import threading
import weakref
from collections import deque
from collections.abc import Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

from aiosmtpd.smtp import SMTP

from sandbox.mailbox import Mailbox
from sandbox.smtp import Fate, Fault, Handler

CLOCK_HEADER = "X-Dunning-Date"  # the simulated time a mail was sent at, ISO 8601
_STEP_SECONDS = 10.0
_T = TypeVar("_T")


class Inbox(Mailbox):
    """The running server; the mails are those of `Mailbox`.

    Attributes:
        url: where to send mail to, `smtp://127.0.0.1:PORT`.
        fate: what goes wrong with a mail, by its bytes; asked of each that nothing else was planned for.
    """

    def __init__(self, directory: Path | None, port: int, clock_header: str) -> None:
        """Describe the server; port 0 is any free one."""
        super().__init__(directory, clock_header)
        self.url = ""
        self.fate: Fate = lambda content: None
        self._port = port
        self._faults: deque[Fault] = deque()
        self._handler = Handler(self, self._faults, lambda content: self.fate(content))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="inbox", daemon=True)
        self._server: asyncio.Server | None = None
        self._connections: weakref.WeakSet[SMTP] = weakref.WeakSet()

    def refuse(
        self, count: int, reply: str = "451 4.3.0 try again later", at: Literal["rcpt", "data"] = "data"
    ) -> None:
        """Answer the next `count` recipients, or mails, with this refusal."""
        self._faults.extend([Fault("refuse", at, reply)] * count)

    def hang(self, count: int, *, stored: bool = True) -> None:
        """Take the next `count` mails and never answer: the sender cannot know whether they were accepted."""
        self._faults.extend([Fault("hang", "data", stored=stored)] * count)

    def drop(self, count: int, *, stored: bool = False) -> None:
        """Break the connection instead of answering the next `count` mails."""
        self._faults.extend([Fault("drop", "data", stored=stored)] * count)

    def know_keys(self, header: str, known: Iterable[str] = ()) -> None:
        """Deliver what bears the same key in this header once, as Resend does; `known` are of before."""
        self._handler.key_header = header
        self._handler.keys.update(known)

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections, and break those that are open, while the block runs."""
        self._run(self._close())
        try:
            yield
        finally:
            self._run(self._listen())

    def start(self) -> None:
        """Open the port."""
        self._thread.start()
        self._run(self._listen())

    def stop(self) -> None:
        """Close everything and write the last pages."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STEP_SECONDS)
        self._loop.close()
        self.write_pages()

    async def _listen(self) -> None:
        def connection() -> SMTP:
            # A host name of its own, because the default one asks the DNS.
            smtp = SMTP(self._handler, hostname="inbox.localhost", enable_SMTPUTF8=True, loop=self._loop)
            self._connections.add(smtp)
            return smtp

        self._server = await self._loop.create_server(connection, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self.url = f"smtp://127.0.0.1:{self._port}"

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            if isinstance(connection.transport, asyncio.Transport):
                connection.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _run(self, step: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(step, self._loop).result(_STEP_SECONDS)


@contextlib.contextmanager
def mail_inbox(
    directory: Path | None = None, *, port: int = 0, clock_header: str = CLOCK_HEADER
) -> Iterator[Inbox]:
    """Receive mail while the block runs.

    Args:
        directory: for each mail as .eml and as a page, and index.html; None keeps them in memory only.
        port: on 127.0.0.1; 0 is any free one.
        clock_header: names the simulated time at which a mail was sent.

    Raises:
        OSError: the port is taken.
    """
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd logs addresses
    inbox = Inbox(directory, port, clock_header)
    inbox.start()
    try:
        yield inbox
    finally:
        inbox.stop()


def main(argv: list[str]) -> None:
    """Run as a program until SIGINT or SIGTERM; the first line of output is the url."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.inbox")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--clock-header", default=CLOCK_HEADER)
    given = parser.parse_args(argv)
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    with mail_inbox(given.directory, port=given.port, clock_header=given.clock_header) as inbox:
        sys.stdout.write(f"{inbox.url}\n")
        sys.stdout.flush()
        signal.sigwait(ends)


if __name__ == "__main__":
    main(sys.argv[1:])
