"""Received mails, kept in memory and, with a directory, as files and pages."""

import threading
from datetime import UTC, datetime
from pathlib import Path

from sandbox.mail import Mail, from_file, receive, to_file
from sandbox.pages import Pages


class Mailbox:
    """All mails that arrived, oldest first; may be used from any thread.

    Attributes:
        messages: what arrived, with what an earlier run left in the directory.
        index: the page that lists them; None without a directory.
    """

    def __init__(self, directory: Path | None, clock_header: str) -> None:
        """Use the directory, created if need be, for `NNNN.eml`, `NNNN.html` and `index.html`."""
        self.messages: list[Mail] = []
        self.index = None if directory is None else directory / "index.html"
        self._directory = directory
        self._clock_header = clock_header
        self._arrived = threading.Condition()
        self._pages: Pages | None = None
        self._unwritten: list[Mail] = []
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            for path in sorted(directory.glob("*.eml")):
                self.messages.append(from_file(int(path.stem), path.read_bytes(), clock_header))
            self._pages = Pages(directory)
            self._pages.write(self.messages, self.messages)

    def add(self, raw: bytes, sender: str, recipients: tuple[str, ...]) -> Mail:
        """Keep a mail; it is on disk when this returns, its page when `write_pages` does."""
        number = self.messages[-1].number + 1 if self.messages else 1
        mail = receive(number, raw, sender, recipients, datetime.now(UTC), self._clock_header)
        if self._directory is not None:
            (self._directory / f"{number:04}.eml").write_bytes(to_file(mail))
        with self._arrived:
            self.messages.append(mail)
            self._unwritten.append(mail)
            self._arrived.notify_all()
        return mail

    def to(self, address: str) -> list[Mail]:
        """The mails whose envelope names this recipient, oldest first."""
        return [mail for mail in list(self.messages) if mail.is_to(address)]

    def wait_for(self, count: int, address: str | None = None, timeout_seconds: float = 10.0) -> list[Mail]:
        """Wait until at least `count` mails have arrived (for one recipient); raises TimeoutError."""

        def mails() -> list[Mail]:
            return list(self.messages) if address is None else self.to(address)

        with self._arrived:
            if not self._arrived.wait_for(lambda: len(mails()) >= count, timeout_seconds):
                raise TimeoutError(f"{len(mails())} of {count} mails after {timeout_seconds} s")
            return mails()

    def write_pages(self) -> None:
        """Bring the pages up to date."""
        with self._arrived:
            mails, new, self._unwritten = list(self.messages), self._unwritten, []
        if self._pages is not None and new:
            self._pages.write(mails, new)
