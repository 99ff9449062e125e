"""At a fixed rate, whatever the server does."""

import asyncio
from collections.abc import Iterator
from time import monotonic
from typing import Any

from benchmarks.generator.connection import Connection
from benchmarks.generator.flood import FloodFailed

PATIENCE = 10.0  # seconds for one answer


async def pace(host: str, port: int, requests: Iterator[bytes], per_second: float) -> dict[str, Any]:
    """Send each request in its turn over a connection of its own.

    Answers with when each was due (seconds of the monotonic clock) and what was answered. Raises FloodFailed
    when an answer does not come, OSError when nobody listens.
    """
    start = monotonic()
    due = [(start + number / per_second, request) for number, request in enumerate(requests)]
    statuses = await asyncio.gather(*(_send_at(at, host, port, request) for at, request in due))
    return {
        "due": [at for at, _ in due],
        "answers": len(statuses),
        "refused": sum(status != 200 for status in statuses),
    }


async def _send_at(at: float, host: str, port: int, request: bytes) -> int:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[int] = loop.create_future()
    await asyncio.sleep(max(0.0, at - monotonic()))
    _, connection = await loop.create_connection(
        lambda: Connection(lambda _, status, *__: answer.set_result(status)), host, port
    )
    connection.send(request)
    try:
        async with asyncio.timeout(PATIENCE):
            return await answer
    except TimeoutError:
        raise FloodFailed(f"no answer within {PATIENCE:.0f} s {connection.error}") from None
    finally:
        connection.close()
