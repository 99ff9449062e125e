"""A primary, a replica and three Sentinels that watch them: five real processes on TCP ports."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import redis

from sandbox.binaries import valkey_server
from sandbox.programs import free_port
from sandbox.supervised import Supervised
from tests.webhooks.process import wait_until

NAME = "dunning"
# Milliseconds of silence after which a Sentinel takes a primary for dead; 30,000 by default.
DOWN_AFTER = 500


@dataclass(frozen=True, slots=True)
class Watched:
    """`primary` is the process to kill; `url` is what our processes are given."""

    primary: Supervised
    url: str
    sentinels: Sequence[int]

    def ask(self) -> tuple[str, int]:
        """Where a Sentinel says that the primary is."""
        with redis.Redis(port=self.sentinels[0], decode_responses=True) as sentinel:
            host, port = sentinel.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
            return str(host), int(port)


@contextlib.contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """All five while the block runs, once they know of one another."""
    with contextlib.ExitStack() as stack:
        first, second = free_port(), free_port()
        primary = _start(stack, folder, first, "--save", "", "--appendonly", "yes")
        _start(stack, folder, second, "--save", "", "--replicaof", "127.0.0.1", str(first))
        sentinels = [free_port() for _ in range(3)]
        for port in sentinels:
            _watch(stack, folder, port, first)
        wait_until(lambda: all(map(_knows_all, sentinels)), "the Sentinels to find one another")
        hosts = ",".join(f"127.0.0.1:{port}" for port in sentinels)
        yield Watched(primary, f"redis+sentinel://{hosts}/{NAME}/0", sentinels)


def _watch(stack: contextlib.ExitStack, folder: Path, port: int, primary: int) -> None:
    config = folder / f"sentinel-{port}.conf"
    config.write_text(
        f"sentinel monitor {NAME} 127.0.0.1 {primary} 2\n"
        f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER}\n"
        f"sentinel failover-timeout {NAME} 5000\n"
    )
    _start(stack, folder, port, "--sentinel", config=config)


def _start(
    stack: contextlib.ExitStack, folder: Path, port: int, *options: str, config: Path | None = None
) -> Supervised:
    home = folder / str(port)
    home.mkdir()
    command = [str(valkey_server()), *([str(config)] if config else []), *options]
    process = Supervised(
        [*command, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(home)],
        output=subprocess.DEVNULL,
    )
    stack.callback(process.stop, 2.0)
    with redis.Redis(port=port) as client:
        wait_until(lambda: _answers(client), "a server to answer")
    return process


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def _knows_all(sentinel: int) -> bool:
    with redis.Redis(port=sentinel, decode_responses=True) as client:
        state = client.execute_command("SENTINEL", "MASTER", NAME)
    return (int(state["num-slaves"]), int(state["num-other-sentinels"])) == (1, 2)
