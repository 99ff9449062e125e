"""A real Valkey (the open Redis) on a unix socket, started and stopped with this process.

with embedded_valkey(Path(".dunning/valkey")) as server:
    client = redis.Redis.from_url(server.url)
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import redis

from sandbox.binaries import valkey_server
from sandbox.runtime import runtime_directory
from sandbox.server import Server

_PROBE_SECONDS = 2.0


class ValkeyServer(Server):
    """Valkey 9 with an append-only file; `url` is what redis-py and Dramatiq take."""

    name = "Valkey"
    stop_signal = "TERM"

    def __init__(self, program: Path, data: Path, runtime: Path) -> None:
        """Describe the server; nothing is started yet."""
        self._socket = runtime / "valkey.sock"
        super().__init__(f"unix://{self._socket}", data, runtime)
        self._program = program

    def _prepare(self, lock: int) -> None:
        self._socket.unlink(missing_ok=True)  # left by a kill -9

    def _command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            # A queue must refuse new messages when memory is full, never forget old ones.
            "maxmemory-policy": "noeviction",
        }
        command = [str(self._program)]
        for name, value in options.items():
            command += [f"--{name}", value]
        return command

    def _answers(self) -> bool:
        client = redis.Redis.from_url(self.url, socket_timeout=_PROBE_SECONDS)
        with client, contextlib.suppress(redis.RedisError):  # not listening yet, or still reading its file
            return bool(client.ping())
        return False


@contextlib.contextmanager
def embedded_valkey(data_dir: Path | None = None) -> Iterator[ValkeyServer]:
    """Run Valkey while the block runs.

    Args:
        data_dir: kept and used again by the next start; None is a temporary one, removed at the end.

    Raises:
        BinaryMissingError, DataInUseError, ServerFailedError: see `sandbox.errors`.
    """
    program = valkey_server()
    with runtime_directory("dunning-kv") as runtime:
        data = runtime / "data" if data_dir is None else data_dir.resolve()
        server = ValkeyServer(program, data, runtime)
        server.start()
        try:
            yield server
        finally:
            server.stop()
