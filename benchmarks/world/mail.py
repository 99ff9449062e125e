"""`python -m benchmarks.world.mail`: a mail server that takes everything and says when.

A line `listening URL` once it does, then one `mail SECONDS RECIPIENT` for each mail, in seconds of the
monotonic clock, which all processes of a machine share.
"""

import asyncio
import signal
import sys
import time

from aiosmtpd.smtp import SMTP, Envelope, Session


class Sink:
    """Notes the time of each mail; aiosmtpd calls the method by its name."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The mail has been handed over."""
        say(f"mail {time.monotonic()} {envelope.rcpt_tos[0]}")
        return "250 2.0.0 kept"


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def serve() -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    # A host name of its own, because the default one asks the DNS.
    server = await loop.create_server(
        lambda: SMTP(Sink(), hostname="sink.localhost", enable_SMTPUTF8=True), "127.0.0.1", 0
    )
    say(f"listening smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await stop.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
