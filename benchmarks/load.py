"""The suite's side of the load generator."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO, cast

from benchmarks.errors import BenchmarkError
from benchmarks.programs import ROOT

CONNECTIONS = 64
_AT_FIRST = 10_000  # requests a second, made ready for a server nobody has measured yet; more are not sent
_SPARE = 2.0  # made ready for one that has been


class Generator:
    """Gives jobs to the generator's process, one at a time. Any answer but 200 raises BenchmarkError."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """`process` runs `benchmarks.generator`."""
        self._process = process

    def flood(
        self,
        port: int,
        requests: Mapping[str, Any],
        *,
        warm_up: float,
        seconds: float,
        connections: int = CONNECTIONS,
    ) -> dict[str, Any]:
        """As fast as the server answers; `requests` are the options of `generator.requests.supply`."""
        options = {"connections": connections, "warm_up": warm_up, "seconds": seconds}
        return self._ask({"port": port, "requests": requests, "flood": options})

    def pace(self, port: int, requests: Mapping[str, Any], per_second: float) -> list[float]:
        """At a fixed rate; when each request was due, in seconds of the monotonic clock."""
        due: list[float] = self._ask({"port": port, "requests": requests, "per_second": per_second})["due"]
        return due

    def _ask(self, job: Mapping[str, Any]) -> dict[str, Any]:
        jobs, answers = cast(TextIO, self._process.stdin), cast(TextIO, self._process.stdout)
        jobs.write(json.dumps(job) + "\n")
        jobs.flush()
        answer = answers.readline()
        if not answer:
            raise BenchmarkError(f"the load generator ended with exit code {self._process.wait()}")
        result: dict[str, Any] = json.loads(answer)
        if "error" in result:
            raise BenchmarkError(f"the load failed: {result['error']}")
        if result["refused"]:
            raise BenchmarkError(f"{result['refused']} requests were refused: {result.get('statuses')}")
        return result


class Events:
    """Signed events from one template for one server, never the same twice."""

    def __init__(self, path: str, secret: str, template: str, *, copies: int = 1) -> None:
        """`template` holds `generator.requests.EVENT_ID`; each event is sent `copies` times."""
        self._options = {
            "kind": "events",
            "path": path,
            "secret": secret,
            "template": template,
            "copies": copies,
        }
        self._copies = copies
        self._first = 0
        self._rate = _AT_FIRST / _SPARE

    def next(self, seconds: float) -> dict[str, Any]:
        """Requests for so many seconds, and a few to spare."""
        return self.some(int(self._rate * _SPARE * seconds / self._copies) + CONNECTIONS)

    def some(self, count: int) -> dict[str, Any]:
        """Requests for so many events."""
        first, self._first = self._first, self._first + count
        return self._options | {"first": first, "count": count}

    def learn(self, rate: float) -> None:
        """How fast the server answers, so that no more requests are made than it may take."""
        self._rate = rate


def lookups(paths: Sequence[str], *headers: str) -> dict[str, Any]:
    """GET requests for these paths, over and over."""
    return {"kind": "lookups", "paths": list(paths), "headers": list(headers)}


@contextlib.contextmanager
def generator() -> Iterator[Generator]:
    """Run the load generator while the block runs. It ends when its input does, whatever becomes of us."""
    command = [sys.executable, "-m", "benchmarks.generator"]
    process = subprocess.Popen(  # noqa: S603 -- a module of our own
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,  # Ctrl-C is for the suite alone
    )
    with process:  # closes the pipes and waits
        yield Generator(process)
