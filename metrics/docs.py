"""`python -m metrics.docs` writes docs/metrics.md from what `metrics/` declares."""

from collections.abc import Sequence
from pathlib import Path

from metrics import families
from metrics.family import Family
from metrics.whole.families import COUNTERS, GAUGES

ROOT = Path(__file__).resolve().parent.parent

INTRODUCTION = """\
# Metrics

Written by `python -m metrics.docs` from the declarations in `metrics/`; do not edit.

Each process tells Prometheus about itself at `/metrics`, on a port of its own: set `DUNNING_METRICS_PORT`,
and without it nothing is served. It is plain HTTP without a password, on `127.0.0.1` unless
`DUNNING_METRICS_HOST` says otherwise: keep it off public networks. Two processes of one machine need two
ports, so give the setting to each by itself (`DUNNING_METRICS_PORT=9402 dunning worker`); `dunning up`
counts on from the one you set. A port that is taken is an error in the log, `metrics.cannot_listen`, and
the process works all the same.

Processes tell what they do, and **schedulers also what is true of the whole installation**. They read it
from the database every ten seconds, each for itself: with two schedulers take the maximum, never the sum.
What grows with the number of customers is read once a minute, and more seldom where reading it takes long.
With 200,000 customers that took 0.1 s every ten seconds and 0.3 s every minute. What could not be read for
a minute is left out, since an old figure would look like a good one.

[ops/](../ops) has a Prometheus configuration, alert rules and a Grafana dashboard, and [what to do when an
alert fires](alerts.md) is a page of its own. `docker compose --profile monitoring up` starts all of it. No
label holds an id, an address or an amount.
"""

SECTIONS: dict[str, Sequence[Family]] = {
    "Every process": families.OF_ALL,
    "Receiver": families.OF_RECEIVER,
    "Workers, and whoever else asks Stripe, sends or wakes somebody": families.OF_WORKER,
    "Access API and page for customers": families.OF_HTTP,
    "Each scheduler by itself": families.OF_SCHEDULER,
    "The whole, by any scheduler: what is": GAUGES,
    "The whole, by any scheduler: what has happened since it started": COUNTERS,
}
EVERY: tuple[Family, ...] = tuple(family for section in SECTIONS.values() for family in section)


def markdown() -> str:
    """The text of docs/metrics.md."""
    parts = [INTRODUCTION]
    for title, section in SECTIONS.items():
        head = ["| Metric | Type | Labels | What it says |", "| --- | --- | --- | --- |"]
        parts.append("\n".join([f"## {title}", "", *head, *map(_row, section), ""]))
    return "\n".join(parts)


def _row(family: Family) -> str:
    labels = ", ".join(f"`{label}`" for label in family.labels)
    return f"| `{family.name}` | {family.kind} | {labels} | {family.about} |"


def main() -> None:
    """Write it."""
    (ROOT / "docs" / "metrics.md").write_text(markdown(), encoding="utf-8")


if __name__ == "__main__":
    main()
