"""As fast as the server answers: every connection sends its next request when the last one is answered."""

import asyncio
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from time import monotonic, process_time
from typing import Any

from benchmarks.generator.connection import Connection

DRAIN = 30.0  # seconds that the last answers may take, of a slow server beside other work


class FloodFailed(Exception):  # noqa: N818 -- says what happened to the load
    """A connection broke, or answers did not come; the text says which."""


class Flood:
    """One run: `warm_up` seconds that do not count, then `seconds` that do."""

    def __init__(self, requests: Iterator[bytes], *, warm_up: float, seconds: float) -> None:
        self._requests = requests
        self._warm_up, self._seconds = warm_up, seconds
        self._begin = self._end = math.inf
        self._latencies: list[float] = []
        self._statuses: Counter[int] = Counter()
        self._connections = self._in_flight = 0
        self._last = 0.0
        self._idle = asyncio.Event()

    async def run(self, host: str, port: int, connections: int) -> dict[str, Any]:
        """Run and say what came of it. Raises FloodFailed or OSError."""
        loop = asyncio.get_running_loop()
        opened = [
            (await loop.create_connection(lambda: Connection(self._answered), host, port))[1]
            for _ in range(connections)
        ]
        cpu, start = process_time(), monotonic()
        self._connections = connections
        self._begin, self._end = start + self._warm_up, start + self._warm_up + self._seconds
        for connection in opened:
            self._next(connection)
        await self._finish(opened)
        share = (process_time() - cpu) / (monotonic() - start)
        for connection in opened:
            connection.close()
        return self._result() | {"generator_cpu": share}

    def _next(self, connection: Connection) -> None:
        request = next(self._requests, None)
        if request is not None:
            self._in_flight += 1
            connection.send(request)

    def _answered(self, connection: Connection, status: int, sent_at: float, at: float) -> None:
        self._in_flight -= 1
        self._statuses[status] += 1
        if self._goes_on(at):
            if at >= self._begin:
                self._latencies.append(at - sent_at)
                self._last = at
            self._next(connection)
        if not self._in_flight:
            self._idle.set()

    def _goes_on(self, at: float) -> bool:
        """Until the time is up, and longer where even the slowest connection has not had its turn yet."""
        return at < self._end or len(self._latencies) < self._connections

    async def _finish(self, opened: Sequence[Connection]) -> None:
        """Wait for the last answers; a connection that is gone will never give its own."""
        while not self._idle.is_set():
            if broken := [connection.error for connection in opened if connection.closed]:
                raise FloodFailed(f"{len(broken)} of {len(opened)} connections broke: {broken[0]}")
            if monotonic() > self._end + DRAIN:
                raise FloodFailed(f"{self._in_flight} answers never came")
            try:
                async with asyncio.timeout(0.1):
                    await self._idle.wait()
            except TimeoutError:
                continue

    def _result(self) -> dict[str, Any]:
        elapsed = self._last - self._begin
        latencies = sorted(self._latencies)
        return {
            "answers": sum(self._statuses.values()),
            "refused": sum(self._statuses.values()) - self._statuses[200],
            "statuses": dict(self._statuses),
            "rate": len(latencies) / elapsed if elapsed > 0 else 0.0,
            "p50_ms": 1000 * percentile(latencies, 50),
            "p99_ms": 1000 * percentile(latencies, 99),
        }


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of sorted values; 0 when there are none."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else 0.0
