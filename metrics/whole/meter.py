"""Counts what the journal tells: what became of customers, whichever process or person did it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily

from db.tail import Line
from dunning.account import Outcome
from metrics.family import Family
from metrics.whole import families

Labels = tuple[str, ...]
# What ends an effect. Series that alerts look at exist from the start: the first failure must be an increase.
OUTCOMES = ("sent", "suppressed", "failed", "unknown")
MAIL_STEPS = (
    "access_ended",
    "card_expiring",
    "escalation",
    "final_warning",
    "first_payment",
    "payment_failed",
    "recovered",
    "renewal_notice",
)
# The team's chat, its channels with a name of their own, and calls to the provider.
CHANNELS = ("chat", "channel", "retry", "end")
FROM_THE_START: dict[Family, list[Labels]] = {
    families.EVENTS_APPLIED: [("stripe", "invoice.payment_failed"), ("stripe", "invoice.paid")],
    families.MAILS: [(step, outcome) for step in MAIL_STEPS for outcome in OUTCOMES],
    families.CALLS: [(channel, each) for channel in CHANNELS for each in OUTCOMES],
    families.CASES_OPENED: [()],
    families.CASES_CLOSED: [(outcome.value,) for outcome in Outcome],
    families.ESCALATIONS: [],
    families.REVOCATIONS: [("limited",), ("revoked",)],
    families.RESTORES: [()],
    families.WITHHELD: [(why,) for why in ("breaker", "cap", "unconfirmed", "closed", "unwanted")],
}
OTHER = "other"
# Names are chosen by the code and by policies; whoever chooses too many finds the rest under `other`.
MOST_VALUES = 60
_NAME = re.compile(r"[a-z][a-z_.]{0,60}")


class Meter:
    """Counters from the start of this process on."""

    def __init__(self, reasons: Iterable[tuple[str, str]]) -> None:
        """`reasons` say what a reason for keeping access is counted as: how it begins, and the label."""
        self._reasons = tuple(reasons)
        self._counts: dict[Family, Counter[Labels]] = {
            family: Counter(dict.fromkeys(labels, 0)) for family, labels in FROM_THE_START.items()
        }

    def add(self, lines: Iterable[Line]) -> None:
        """Count these entries."""
        for line in lines:
            for family, *labels in self._of(line):
                counts = self._counts[family]
                named = tuple(_name(label, counts) for label in labels)
                counts[named] += 1

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The counters as Prometheus wants them."""
        for family, counts in self._counts.items():
            metric = CounterMetricFamily(family.name, family.about, labels=family.labels)
            for labels, count in counts.copy().items():
                metric.add_metric(labels, count)
            yield metric

    def _of(self, line: Line) -> Iterator[tuple[Family, *Labels]]:
        """What an entry counts for."""
        match line.kind.split("."):
            case ["event", "applied"]:
                # Of a family: there may be thousands of connected accounts.
                yield families.EVENTS_APPLIED, line.source.partition(":")[0], line.reason or OTHER
            case ["case", "opened"]:
                yield (families.CASES_OPENED,)
            case ["case", "closed"]:
                yield families.CASES_CLOSED, line.reason or OTHER
            case ["team", "called"]:
                yield families.ESCALATIONS, _first(line.name)
            case ["access", "taken"]:
                yield families.REVOCATIONS, line.name or OTHER
            case ["access", "returned"]:
                yield (families.RESTORES,)
            case ["access", "kept"]:
                yield families.WITHHELD, self._why(line.reason or "")
            case [channel, outcome] if outcome in OUTCOMES:
                yield from _ended(line, channel, outcome)

    def _why(self, reason: str) -> str:
        return next((label for begins, label in self._reasons if reason.startswith(begins)), OTHER)


def _ended(line: Line, channel: str, outcome: str) -> Iterator[tuple[Family, *Labels]]:
    if channel == "mail":
        yield families.MAILS, _first(line.step), outcome
    else:
        yield families.CALLS, channel, outcome
    if outcome == "suppressed":
        closed = (line.reason or "").startswith("the case was closed")
        yield families.WITHHELD, "closed" if closed else "unwanted"


def _first(step: str | None) -> str:
    """`payment_failed:in_1:2` is a payment_failed."""
    return (step or OTHER).partition(":")[0]


def _name(label: str, known: Collection[Labels]) -> str:
    if not _NAME.fullmatch(label):
        return OTHER
    values = {value for labels in known for value in labels}
    return label if label in values or len(values) < MOST_VALUES else OTHER
