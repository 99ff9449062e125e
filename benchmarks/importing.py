"""`python -m benchmarks.importing [--count N] [--rate READS]`: a running business is taken over, once.

Not a row of the suite: it takes minutes, most of them spent on asking no faster than Stripe allows.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine
from benchmarks.errors import BenchmarkError
from db.migrate import upgrade
from sandbox.postgres import embedded_postgres
from sandbox.programs import RUN
from sandbox.runtime import clean_environment
from sandbox.stripe import BillingEngine, SimulatedStripe, simulated_stripe
from sandbox.stripe.crowd import RUNS_FOR, running_business

# Seconds.
A_LOOK_EVERY = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the business, then try the import, do it, and do it again; one line of figures each."""
    given = _parse(arguments)
    now = datetime.now(UTC)
    engine = BillingEngine(now=now - RUNS_FOR)
    begun = time.monotonic()
    running_business(engine, given.count, until=now, trouble=given.trouble)
    _say(machine.sentence(machine.describe()))
    _say(f"{given.count} customers made in {time.monotonic() - begun:.0f} s")
    with embedded_postgres(durable=True) as postgres, simulated_stripe(engine=engine) as stripe:
        url = postgres.create_database("business")
        upgrade(url)
        environment = clean_environment() | {
            "DATABASE_URL": url,
            "STRIPE_API_KEY": stripe.api_key,
            "STRIPE_API_BASE": stripe.url,
            "DUNNING_LIVEMODE": "false",
        }
        rate = ("--rate", str(given.rate), "--json")
        tried = _measure("dry run", stripe, environment, "import", "stripe", "--dry-run", *rate)["summary"]
        _say(f"  {tried['customers_told']} told something; mails by day {tried['mails_by_day']}")
        for what in ("import", "import once more"):
            _say(f"  {_measure(what, stripe, environment, 'import', 'stripe', *rate)['counts']}")
    return 0


def _measure(what: str, stripe: SimulatedStripe, environment: Mapping[str, str], *arguments: str) -> dict:  # type: ignore[type-arg]  # JSON
    before, start, most = len(stripe.requests), time.monotonic(), 0.0
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([*RUN, *arguments], env=environment, stdout=output)  # noqa: S603  # our own program
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            # What the kernel says afterwards counts the memory of whoever started it as well.
            most = max(most, _memory_mb(process.pid))
            time.sleep(A_LOOK_EVERY)
        _, status, used = ended
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise BenchmarkError(f"the {what} ended with exit code {process.returncode}")
        output.seek(0)
        told = json.load(output)
    seconds, reads = time.monotonic() - start, len(stripe.requests) - before
    _say(
        f"{what}: {seconds:.0f} s, {reads} reads ({reads / seconds:.1f}/s), "
        f"{used.ru_utime + used.ru_stime:.0f} s of processor time, {most:.0f} MB at most"
    )
    return dict(told)


def _memory_mb(pid: int) -> float:
    """Its highest so far; 0 for one that has just ended."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    highest = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(next(highest, "0")) / 1024


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.importing", description="Measure an import.")
    parser.add_argument("--count", type=int, default=20_000, help="customers; 20000")
    parser.add_argument("--trouble", type=float, default=0.1, help="the share of them in trouble; 0.1")
    parser.add_argument("--rate", type=float, default=20.0, help="reads a second, at most; 20")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
