"""A program of its own that starts both servers, says where they are, and waits for the end of its stdin.

    python serve.py DIRECTORY

On Ctrl-C it asks both servers for an answer before it leaves.
"""

import json
import os
import sys
from pathlib import Path

import redis

from sandbox.postgres import embedded_postgres
from sandbox.valkey import embedded_valkey


def main(directory: Path) -> None:
    """Serve until stdin ends."""
    with (
        embedded_postgres(directory / "pg", durable=False) as postgres,
        embedded_valkey(directory / "kv") as valkey,
    ):
        postgres.create_database("mine")
        report = {
            "uid": os.geteuid(),
            "urls": [postgres.url, valkey.url],
            "pids": [postgres.pid, valkey.pid],
        }
        try:
            print(json.dumps(report), flush=True)  # noqa: T201
            sys.stdin.read()
        except KeyboardInterrupt:
            postgres.create_database("after_ctrl_c")
            redis.Redis.from_url(valkey.url).ping()
            print("both answer", flush=True)  # noqa: T201


main(Path(sys.argv[1]))
