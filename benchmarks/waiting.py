"""Waiting for something to become true."""

import time
from collections.abc import Callable

from benchmarks.errors import BenchmarkError


def wait_until(
    condition: Callable[[], bool], what: str, *, seconds: float = 60.0, every: float = 0.002
) -> None:
    """Return when `condition` holds; raises BenchmarkError when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchmarkError(f"waited {seconds:.0f} s for {what}")
        time.sleep(every)
