"""Whose key it is: those of the settings, and those in the database as they were a few seconds ago."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

import structlog

from console.scopes import Scope
from console.store import Unavailable
from db.key_lookup import GoodKey

log = structlog.get_logger()

# Seconds after which a key that was revoked lets nobody in any more.
STALE = 5.0
# Seconds until a key that nobody knows is looked for again: a new one is soon good, and strangers who try
# one key after another cost a statement a second.
LOOK_AGAIN = 1.0
# Seconds between two notes that a key is in use.
NOTE_AGAIN = 600.0

Read = Callable[[], Awaitable[Mapping[bytes, GoodKey]]]
Use = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who asks. `id` is the stored key's; None: the key stands in the settings."""

    label: str
    scopes: frozenset[str]
    id: int | None = None


# What an application needs on each of its requests works with the settings alone.
OF_THE_SETTINGS = Holder("DUNNING_API_KEYS", frozenset({Scope.ACCESS}))


class Keyring:
    """All keys that are good, as digests: none of them is in memory. Lives in one event loop."""

    def __init__(
        self,
        keys: Iterable[str],
        read: Read | None = None,
        use: Use | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keys` are those of the settings, `read` asks for the others; without any nobody is let in.

        `use` writes down that a stored key (by its id) is in use; it never raises.

        Raises ValueError for an empty key: anybody could ask then.
        """
        keys = list(keys)
        if not all(keys):
            raise ValueError("a key of the API may not be empty")
        self._digests = [sha256(key.encode()).digest() for key in keys]
        self._read, self._use, self._clock, self._monotonic = read, use, clock, monotonic
        self._stored: Mapping[bytes, GoodKey] = {}
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._told = False
        self._noted: dict[int, float] = {}
        self._notes: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Read the stored keys once, so that whoever has made none hears of it before anybody asks."""
        if self._read is None:
            return
        try:
            await self._refresh(STALE)
        except Unavailable:
            return  # the database may come later

    async def holder(self, given: bytes) -> Holder | None:
        """Whose key `given` is; None: nobody's.

        What `read` raises passes on: while the database is away, a key that is not in the settings is neither
        good nor bad.
        """
        digest = sha256(given).digest()
        if self._in_settings(digest):
            return OF_THE_SETTINGS
        if self._read is None:
            return None
        await self._refresh(STALE)
        if digest not in self._stored:
            await self._refresh(LOOK_AGAIN)
        found = self._stored.get(digest)
        if found is None or (found.expires_at and found.expires_at <= self._clock()):
            return None
        return Holder(found.label, frozenset(found.scopes), found.id)

    def note(self, holder: Holder) -> None:
        """Have it written down that this key is in use, now and then, while the request goes on."""
        if holder.id is None or self._use is None:
            return
        now = self._monotonic()
        if now - self._noted.get(holder.id, float("-inf")) < NOTE_AGAIN:
            return
        self._noted[holder.id] = now
        task = asyncio.ensure_future(self._use(holder.id))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def close(self) -> None:
        """Let go of notes that are being written: that a key is in use will be noted again."""
        for note in self._notes:
            note.cancel()
        await asyncio.gather(*self._notes, return_exceptions=True)

    def _in_settings(self, digest: bytes) -> bool:
        """Compares with each, so that time tells nothing."""
        known = False
        for one in self._digests:
            known |= hmac.compare_digest(digest, one)
        return known

    async def _refresh(self, age: float) -> None:
        """Read the stored keys again if they are older; all who wait for it share its answer or error."""
        if self._monotonic() - self._read_at < age:
            return
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._load())
        await asyncio.shield(self._reading)

    async def _load(self) -> None:
        assert self._read is not None  # noqa: S101  # looked at before; tells mypy
        asked_at = self._monotonic()
        self._stored = await self._read()
        # Not the time of the answer: a key that was revoked while we were asking may still be among them.
        self._read_at = asked_at
        if not self._stored and not self._digests and not self._told:
            self._told = True
            log.warning("keys.none", cure="make one: dunning keys create")
