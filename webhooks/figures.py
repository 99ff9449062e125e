"""What the receiver has done since it started: for its log and /readyz, and for Prometheus."""

from metrics import families, text
from webhooks.counters import Counters
from webhooks.nudge import Nudger
from webhooks.store import Store

CONTENT_TYPE = text.CONTENT_TYPE.encode()


def plain(counters: Counters, store: Store, nudger: Nudger) -> dict[str, object]:
    """As plain JSON values."""
    return counters.snapshot() | {
        "commits": store.commits,
        "nudges_sent": nudger.sent,
        "nudges_dropped": nudger.dropped,
    }


def metrics(counters: Counters, store: Store, nudger: Nudger) -> bytes:
    """In Prometheus's text format."""
    stored = ("accepted", "duplicate", "ignored", "wrong_mode")
    return text.exposition(
        {
            families.PROCESS: {"receiver": 1},
            families.WEBHOOKS: {outcome: getattr(counters, outcome) for outcome in stored},
            families.WEBHOOKS_HEARD: counters.heard,
            families.WEBHOOKS_REJECTED: counters.rejected,
            families.WEBHOOKS_UNAVAILABLE: counters.unavailable,
            families.COMMITS: {"": store.commits},
            families.WEBHOOK_NUDGES: {"sent": nudger.sent, "dropped": nudger.dropped},
        }
    ).encode()
