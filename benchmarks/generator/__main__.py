"""`python -m benchmarks.generator`: one job as a line of JSON in, one result out, until the input ends."""

import gc
import json
import sys
from collections.abc import Coroutine
from typing import Any

import uvloop

from benchmarks.generator.flood import Flood, FloodFailed
from benchmarks.generator.pace import pace
from benchmarks.generator.requests import supply

HOST = "127.0.0.1"


def job(
    port: int, requests: dict[str, Any], flood: dict[str, Any] | None = None, per_second: float = 0.0
) -> Coroutine[Any, Any, dict[str, Any]]:
    """What a job asks for: a flood with its options, or a pace."""
    made = supply(**requests)
    if flood is None:
        return pace(HOST, port, made, per_second)
    connections = flood.pop("connections")
    return Flood(made, **flood).run(HOST, port, connections)


def main() -> None:
    """Work until the suite closes our input, which it also does by ending in whatever way."""
    gc.disable()  # a pause of ours would look like one of the server's
    for line in sys.stdin:
        try:
            result = uvloop.run(job(**json.loads(line)))
        except (FloodFailed, OSError) as error:
            result = {"error": f"{type(error).__name__}: {error}"}
        gc.collect()
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
