"""A connection to PostgreSQL; where several servers may be the primary, to the one that is.

asyncpg asks several hosts one after the other, within one time-out for all of them: a first one that says
nothing (its machine has lost power, or its process stands still) uses it up, each time anew. Here they are
asked at the same time.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg  # type: ignore[import-untyped]  # ships no annotations


class NoPrimaryError(ConnectionError):
    """None of the hosts takes a connection that can write. Its text has each host's reason, no password."""


async def connect(
    dsn: str | None = None,
    *,
    timeout: float,  # noqa: ASYNC109  # asyncpg's own name for it: this stands in for asyncpg.connect
    **options: Any,
) -> Any:
    """As `asyncpg.connect`, but each of several hosts has `timeout` seconds.

    Hosts and ports are those of `options`, or of the query of `dsn`, with commas between them. Of several,
    the one that can write is taken; who only reads takes the same one, since a standby may be behind.
    """
    hosts = _hosts(dsn, options)
    if len(hosts) < 2:
        return await asyncpg.connect(dsn, timeout=timeout, **options)
    reads = options.get("server_settings", {}).get("default_transaction_read_only") == "on"
    # A session that asked for it itself counts as read-only, wherever it is.
    options["target_session_attrs"] = "primary" if reads else "read-write"
    return await _first(
        {
            f"{host}:{port}": asyncio.create_task(
                asyncpg.connect(dsn, timeout=timeout, **options | {"host": host, "port": port})
            )
            for host, port in hosts
        }
    )


def _hosts(dsn: str | None, options: dict[str, Any]) -> list[tuple[str, int]]:
    """Empty where nothing but one host can be meant."""
    hosts, ports = options.get("host"), options.get("port")
    if hosts is None and dsn is not None:
        query = parse_qs(urlsplit(dsn).query)
        hosts, ports = (query.get(name, [""])[0].split(",") for name in ("host", "port"))
        if len(hosts) == 1:
            return []
    if isinstance(hosts, str) or not isinstance(hosts, Sequence) or len(hosts) != len(ports or ()):
        return []
    return [(host, int(port)) for host, port in zip(hosts, ports or (), strict=True)]


async def _first(tries: dict[str, asyncio.Task[Any]]) -> Any:
    waiting, chosen = set(tries.values()), None
    try:
        while waiting and chosen is None:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            chosen = next((task for task in done if task.exception() is None), None)
    finally:
        for task in tries.values():
            if task is not chosen:
                task.cancel()
                task.add_done_callback(_leave)
    if chosen is None:
        reasons = (f"{host}: {task.exception() or type(task.exception())}" for host, task in tries.items())
        raise NoPrimaryError("; ".join(reasons))
    return chosen.result()


def _leave(task: "asyncio.Task[Any]") -> None:
    """Two may have answered; nobody waits for the slower one to say goodbye."""
    if not task.cancelled() and task.exception() is None:
        task.result().terminate()
