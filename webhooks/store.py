"""Group commit: rows of concurrent requests are written by one statement and one commit.

A writer with nothing to do writes at once; while it waits for the disk, new rows gather for its next
statement. Each caller is told only when its own row is committed, or that it could not be in time.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from db.intake import Intake, Row, Unavailable, Unstorable
from webhooks.log import Log

BATCH_ROWS = 500
BATCH_BYTES = 4 * 1024 * 1024
CAPACITY = 2_000  # rows waiting; beyond it a request is turned away at once
PATIENCE = 1.5  # seconds a request waits for its commit; the provider's answer must come within 2
PAUSE = 0.1  # seconds between attempts while the database cannot be reached


@dataclass(eq=False, slots=True)
class _Waiting:
    """A row, and the request that waits for it: the row's id, or None for a duplicate."""

    row: Row
    done: asyncio.Future[int | None]

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    def settle(self, row_id: int | None) -> None:
        if not self.done.done():
            self.done.set_result(row_id)


class Store:
    """Writes rows into the inbox for many requests at once. Lives in one event loop."""

    def __init__(self, dsn: str, log: Log) -> None:
        """`dsn` as asyncpg takes it. Nothing is opened yet."""
        self._log = log
        # One writer: a second connection brought nothing, since rows gather while the first one commits.
        self._intake = Intake(dsn)
        self._probe_intake = Intake(dsn)
        self._queue: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._probe: asyncio.Task[None] | None = None
        self._reachable = True
        self.commits = 0

    def start(self) -> None:
        """Start writing, in the running event loop. The database may come later."""
        self._writer = asyncio.create_task(self._write_forever())

    async def close(self) -> None:
        """Stop, when the requests are answered. A row that is still waiting is given up."""
        tasks = [task for task in (self._writer, self._probe) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._intake.drop()
        self._probe_intake.drop()
        for waiting in self._queue:
            waiting.fail(Unavailable("stopping"))

    async def put(self, row: Row) -> int | None:
        """Wait until `row` is committed. Returns its id, or None when the event was there already.

        Raises Unavailable when that was not certain within PATIENCE seconds (it may be stored all the same),
        and Unstorable when the database refuses one of its values.
        """
        if len(self._queue) >= CAPACITY:
            raise Unavailable("full")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(row, loop.create_future())
        self._queue.append(waiting)
        self._arrived.set()
        timer = loop.call_later(PATIENCE, waiting.fail, Unavailable("timeout"))
        try:
            return await waiting.done
        finally:
            timer.cancel()

    async def probe(self) -> None:
        """Return when the inbox can be reached, or raise Unavailable. Callers at one time share one look."""
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._probe_intake.probe())
        await asyncio.shield(self._probe)

    async def _write_forever(self) -> None:
        try:
            await self._intake.probe()  # so that the first event finds an open connection
        except Unavailable as error:
            self._note_unreachable(str(error))
        while True:
            await self._arrived.wait()
            if batch := self._take():
                await self._write_surely(batch)
            else:
                self._arrived.clear()

    async def _write_surely(self, batch: Sequence[_Waiting]) -> None:
        """`_write`, but a fault of ours fails these rows only: the one writer must outlive it."""
        try:
            await self._write(batch)
        except Exception as error:
            self._log.error("store.failed", error=type(error).__name__)
            self._intake.drop()
            for waiting in batch:
                waiting.fail(Unavailable("fault"))

    def _take(self) -> list[_Waiting]:
        """The oldest rows that somebody still waits for, up to the limits of one statement."""
        batch: list[_Waiting] = []
        size = 0
        while self._queue and len(batch) < BATCH_ROWS and size < BATCH_BYTES:
            waiting = self._queue.popleft()
            if not waiting.done.done():
                batch.append(waiting)
                size += len(waiting.row.payload or b"")
        return batch

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        """Write until every row is committed, refused or given up by its request."""
        while batch := [waiting for waiting in batch if not waiting.done.done()]:
            try:
                new = dict(await self._intake.insert([waiting.row for waiting in batch]))
            except Unavailable as error:
                self._note_unreachable(str(error))
                await asyncio.sleep(PAUSE)
            except Unstorable as error:
                if len(batch) == 1:
                    batch[0].fail(error)
                    return
                # Halving finds one bad row among 500 in 18 statements, soon enough for the other 499.
                middle = len(batch) // 2
                await self._write(batch[:middle])
                await self._write(batch[middle:])
                return
            else:
                self._note_commit()
                for waiting in batch:
                    # pop: of several copies in one statement only the first was new
                    waiting.settle(new.pop(waiting.row.key, None))
                return

    def _note_commit(self) -> None:
        self.commits += 1
        if not self._reachable:
            self._reachable = True
            self._log.info("database.reachable")

    def _note_unreachable(self, reason: str) -> None:
        if self._reachable:
            self._reachable = False
            self._log.warning("database.unreachable", reason=reason)
