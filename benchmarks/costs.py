"""`python -m benchmarks.costs [--rate N] [--write]`: processor time of each program for an event.

What `benchmarks.simulate` reckons with. The whole chain runs at a rate that leaves it idle most of the time,
first with events that say everything by themselves, then with failed payments, about which the provider is
asked and a mail is sent. What is used while nothing comes is taken off. Events that come all at once tell
which part of that is for an event, and which for those that are done together.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from benchmarks import machine
from benchmarks.experiments.chain import Chain
from benchmarks.house import House, house
from benchmarks.meter import Meter, Seconds
from benchmarks.queueing.costs import MEASURED, Costs, split
from benchmarks.world.accounts import subscription_updates
from benchmarks.world.outside import QUESTIONS

AT_ONCE = 2_000
"""Events that come all at once."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and show milliseconds for each event; with `--write` the model reckons with them."""
    given = _parse(arguments)
    described = machine.describe()
    sys.stderr.write(machine.sentence(described) + "\n")
    with house() as servers, ExitStack() as stack:
        found = _measure(servers, stack, given.rate, given.seconds)
    found = {"measured": f"{datetime.now(UTC):%-d %B %Y}", "machine": described, **found}
    if given.write:
        # To a hundredth of a millisecond, which is finer than what was measured.
        rounded = json.loads(json.dumps(found), parse_float=lambda text: round(float(text), 5))
        MEASURED.write_text(json.dumps(rounded, indent=2) + "\n", encoding="utf-8")
    if given.json:
        json.dump(found, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return 0
    _say(f"{'ms of processor time':<20}{'plain event':>14}{'failed payment':>16}{'idle second':>13}")
    for name, costs in found["processor"].items():
        _say(f"{name:<20}{costs['plain_ms']:>14.2f}{costs['failed_ms']:>16.2f}{costs['idle_ms']:>13.2f}")
    waited = found["event_to_mail"]
    _say(f"failed payment to mail: {waited['p50_ms']:.0f} ms, p99 {waited['p99_ms']:.0f} ms")
    for name, cost in found["costs"].items():
        _say(f"{name:<20}{cost if isinstance(cost, dict) else f'{cost:g}'}")
    return 0


def _measure(servers: House, stack: ExitStack, rate: float, seconds: float) -> dict[str, Any]:
    count = int(rate * seconds)
    chain = Chain(servers, stack, count)
    few, many = subscription_updates(count), subscription_updates(AT_ONCE)
    # The first of each open connections and import what only they need, and do not count.
    chain.without_mails(few[:2], rate)
    chain.one_by_one(2)
    meter = Meter(servers, seconds)
    waited: dict[str, float] = {}
    messages: list[int] = []

    def each(what: Callable[[], object], events: int = count) -> Seconds:
        return {name: used / events for name, used in meter.used(what).items()}

    plain = each(lambda: chain.without_mails(few, rate))
    failed = each(lambda: waited.update(chain.at_a_rate(count, rate)))
    with chain.nobody_applies():
        stored = each(lambda: chain.store(few, rate))
    with chain.nobody_applies():
        stored_at_once = each(lambda: messages.append(chain.store_at_once(many)), AT_ONCE)
    applied_at_once = each(chain.wait_for_rest, AT_ONCE)
    together = AT_ONCE / messages[0]
    applying = plain["PostgreSQL"] - stored["PostgreSQL"]
    costs = Costs(
        receive=split(stored["receiver"], stored_at_once["receiver"], together),
        receive_database=split(stored["PostgreSQL"], stored_at_once["PostgreSQL"], together),
        apply=split(plain["worker"], applied_at_once["worker"], together),
        apply_database=split(applying, applied_at_once["PostgreSQL"], together),
        ask=(failed["worker"] - plain["worker"]) / QUESTIONS,
        mail=failed["mailer"],
        mail_database=failed["PostgreSQL"] - plain["PostgreSQL"],
        redis=plain["Redis"],
    )
    of_each = {"plain_ms": plain, "failed_ms": failed, "idle_ms": meter.idle}
    return {
        "together": together,
        "event_to_mail": waited,
        "processor": {
            name: {column: 1000 * used[name] for column, used in of_each.items()} for name in plain
        },
        "costs": asdict(costs),
    }


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.costs",
        description="Processor time of each program for an event, at a rate that leaves them idle mostly.",
    )
    parser.add_argument("--rate", type=float, default=20.0, help="events a second; 20")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each kind of events; 15")
    parser.add_argument("--write", action="store_true", help="for benchmarks.simulate to reckon with")
    parser.add_argument("--json", action="store_true", help="the same as JSON")
    given = parser.parse_args(arguments)
    if given.rate <= 0 or given.rate * given.seconds < 2:
        parser.error("--rate and --seconds must come to two events or more")
    return given


if __name__ == "__main__":
    sys.exit(main())
