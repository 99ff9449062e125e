"""`python -m benchmarks.costs [--rate N] [--seconds N]`: processor time of each program for an event.

What `benchmarks.simulate` reckons with. The whole chain runs at a rate that leaves it idle most of the time,
first with events that say everything by themselves, then with failed payments, about which the provider is
asked and a mail is sent. What is used while nothing comes is taken off.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from benchmarks import machine
from benchmarks.experiments.mail import Chain
from benchmarks.house import House, house
from benchmarks.processes import processor_seconds
from benchmarks.world.accounts import subscription_updates

PROGRAMS = ("receiver", "worker", "mailer", "scheduler", "simulated Stripe", "mail server")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and show milliseconds for each event."""
    given = _parse(arguments)
    count = int(given.rate * given.seconds)
    sys.stderr.write(machine.sentence(machine.describe()) + "\n")
    with house() as servers, ExitStack() as stack:
        chain = Chain(servers, stack, count)
        updates = subscription_updates(count)
        chain.without_mails(updates[:2], given.rate)  # opens every connection, and does not count
        waited: dict[str, float] = {}
        idle = _used(servers, lambda: time.sleep(given.seconds))
        plain = _used(servers, lambda: chain.without_mails(updates, given.rate))
        failed = _used(servers, lambda: waited.update(chain.at_a_rate(count, given.rate)))
    found = {
        name: {
            "plain_ms": 1000 * (plain[name] - idle[name]) / count,
            "failed_ms": 1000 * (failed[name] - idle[name]) / count,
            "idle_ms": 1000 * idle[name] / given.seconds,
        }
        for name in idle
    }
    if given.json:
        json.dump({"processor": found, "event_to_mail": waited}, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return 0
    _say(f"{'ms of processor time':<20}{'plain event':>14}{'failed payment':>16}{'idle second':>13}")
    for name, costs in found.items():
        _say(f"{name:<20}{costs['plain_ms']:>14.2f}{costs['failed_ms']:>16.2f}{costs['idle_ms']:>13.2f}")
    _say(f"failed payment to mail: {waited['p50_ms']:.0f} ms, p99 {waited['p99_ms']:.0f} ms")
    return 0


def _used(servers: House, work: Callable[[], None]) -> dict[str, float]:
    """Processor seconds of each program while `work` is done."""
    pids = {name: servers.programs.latest[name].pid for name in PROGRAMS}
    pids |= {"PostgreSQL": servers.postgres.pid, "Redis": servers.valkey.pid}
    before = {name: processor_seconds(pid) for name, pid in pids.items()}
    work()
    return {name: processor_seconds(pid) - before[name] for name, pid in pids.items()}


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.costs",
        description="Processor time of each program for an event, at a rate that leaves them idle mostly.",
    )
    parser.add_argument("--rate", type=float, default=20.0, help="events a second; 20")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each kind of events; 20")
    parser.add_argument("--json", action="store_true", help="the same as JSON")
    given = parser.parse_args(arguments)
    if given.rate <= 0 or given.rate * given.seconds < 2:
        parser.error("--rate and --seconds must come to two events or more")
    return given


if __name__ == "__main__":
    sys.exit(main())
