"""What a process measures of itself. To measure costs a microsecond, whether it is served or not."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from metrics import families
from metrics.family import Family

# Seconds. Stripe and mail servers take from some tens of milliseconds up to their time-outs.
OUTSIDE = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30)
INSIDE = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
WORK = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60)

# When a series began is a series more, and nobody asks for it.
disable_created_metrics()  # type: ignore[no-untyped-call]  # not annotated by the library


def _counter(family: Family) -> Counter:
    return Counter(family.name, family.about, family.labels)


def _histogram(family: Family, buckets: tuple[float, ...]) -> Histogram:
    return Histogram(family.name, family.about, family.labels, buckets=buckets)


process = Gauge(families.PROCESS.name, families.PROCESS.about, families.PROCESS.labels)
stripe_seconds = _histogram(families.STRIPE_SECONDS, OUTSIDE)
stripe_errors = _counter(families.STRIPE_ERRORS)
commet_seconds = _histogram(families.COMMET_SECONDS, OUTSIDE)
commet_errors = _counter(families.COMMET_ERRORS)
delivery_seconds = _histogram(families.DELIVERY_SECONDS, OUTSIDE)
messages = _counter(families.MESSAGES)
message_seconds = _histogram(families.MESSAGE_SECONDS, WORK)
nudges_lost = _counter(families.NUDGES_LOST)
ticks = _counter(families.TICKS)
request_seconds = _histogram(families.REQUEST_SECONDS, INSIDE)
