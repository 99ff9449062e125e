"""What the tables and the broker say at one moment, as Prometheus wants it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from db.heartbeats import Heartbeat, kept_too_long
from db.mismatches import Mismatches
from db.reconciled import Reconciled
from db.status import State
from db.totals import Totals
from dunning.access import ORDER
from dunning.declines import Category
from dunning.money import Money
from metrics.family import Family
from metrics.whole import families
from worker.lengths import QueueLength
from worker.queues import WAKEUPS

Samples = Mapping[str, float] | Mapping[tuple[str, str], float]
KINDS = ("worker", "scheduler")


@dataclass(frozen=True, slots=True)
class Moment:
    """What was read, and when (unix time). `queues` is None if the broker did not answer."""

    at: float
    state: State
    totals: Totals
    processes: Sequence[Heartbeat]
    queues: Sequence[QueueLength] | None


@dataclass(frozen=True, slots=True)
class Survey:
    """What takes longer to read, and is read more seldom. `at` as above."""

    at: float
    access: Mapping[str, int]
    mismatches: Mismatches
    reconciled: Reconciled


def of_moment(moment: Moment) -> Iterator[GaugeMetricFamily]:
    """The gauges that follow from what was read."""
    state, totals = moment.state, moment.totals
    inbox, outbox, cases = state.inbox, state.outbox, state.cases
    yield _gauge(families.COLLECTED, {"": moment.at})
    yield _gauge(families.INBOX, {"pending": inbox.pending, "dead": inbox.dead})
    yield _gauge(families.INBOX_AGE, {"": _seconds(inbox.oldest)})
    statuses = ("pending", "sending", "unknown", "failed")
    yield _gauge(families.OUTBOX, {status: getattr(outbox, status) for status in statuses})
    yield _gauge(families.OUTBOX_OVERDUE, {"": _seconds(outbox.overdue)})
    yield _gauge(families.CASES_OPEN, {each.value: totals.cases.get(each, 0) for each in Category})
    yield _gauge(families.CASES_DUE, {"": cases.due})
    yield _gauge(families.CASES_OVERDUE, {"": _seconds(cases.overdue)})
    yield _gauge(families.AT_RISK, {code: _whole(sum_, code) for code, sum_ in totals.amounts.items()})
    yield _gauge(families.ACCOUNTS, {each: totals.accounts.get(each, 0) for each in ("past_due", "unpaid")})
    yield _gauge(families.BREAKER, {"": state.tripped is not None})
    yield _gauge(families.ENDPOINTS_DISABLED, {"": totals.disabled})
    yield _gauge(families.DELIVERIES_PENDING, {"": totals.deliveries})
    yield _gauge(families.KEPT_TOO_LONG, {"": kept_too_long(moment.processes).total_seconds()})
    yield from _of_processes(moment.processes)
    yield _gauge(families.BROKER_UP, {"": moment.queues is not None})
    lengths: dict[tuple[str, str], float] = {}
    for each in moment.queues or ():
        lengths[each.queue, "waiting"] = each.waiting
        if each.in_hand is not None:
            lengths[each.queue, "in_hand"] = each.in_hand
    yield _gauge(families.QUEUE_LENGTH, lengths)


def of_survey(survey: Survey) -> Iterator[Metric]:
    """The same of what is read more seldom, and what the database has counted for ever."""
    found = survey.mismatches
    yield _gauge(families.CUSTOMERS, {each.value: survey.access.get(each.value, 0) for each in ORDER})
    yield _gauge(families.MISMATCHES, {"paid_but_locked": found.locked, "open_but_unpaid": found.open})
    ages = {"paid_but_locked": _seconds(found.locked_for), "open_but_unpaid": _seconds(found.open_for)}
    yield _gauge(families.MISMATCH_AGE, ages)
    done = survey.reconciled
    yield _gauge(families.RECONCILED, {kind: age.total_seconds() for kind, age in done.ages.items()})
    yield _gauge(
        families.DIFFERENCES, {each: done.differences.get(each, 0) for each in ("found", "reported")}
    )
    yield _counter(families.FILLED, {"": done.filled})
    yield _counter(families.SETTLED, {each: done.differences.get(each, 0) for each in ("repaired", "gone")})


def _of_processes(processes: Sequence[Heartbeat]) -> Iterator[GaugeMetricFamily]:
    alive = [each for each in processes if each.alive]
    yield _gauge(families.PROCESSES, {kind: sum(each.kind == kind for each in alive) for kind in KINDS})
    ages = {
        kind: min(each.age for each in processes if each.kind == kind).total_seconds()
        for kind in KINDS
        if any(each.kind == kind for each in processes)
    }
    yield _gauge(families.HEARTBEAT_AGE, ages)
    served = [queue for each in alive for queue in each.info.get("queues", ())]
    yield _gauge(families.QUEUE_WORKERS, {each.queue: served.count(each.queue) for each in WAKEUPS})


def _gauge(family: Family, samples: Samples) -> GaugeMetricFamily:
    """A family without labels has one sample, with the key ""."""
    metric = GaugeMetricFamily(family.name, family.about, labels=family.labels)
    for labels, value in samples.items():
        values = (labels,) if isinstance(labels, str) else labels
        metric.add_metric(values if family.labels else (), value)
    return metric


def _counter(family: Family, samples: Mapping[str, float]) -> CounterMetricFamily:
    metric = CounterMetricFamily(family.name, family.about, labels=family.labels)
    for label, value in samples.items():
        metric.add_metric((label,) if family.labels else (), value)
    return metric


def _seconds(length: timedelta | None) -> float:
    return length.total_seconds() if length else 0.0


def _whole(amount: int, currency: str) -> float:
    return float(Money(amount, currency).decimal())
