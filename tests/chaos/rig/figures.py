"""How long things took, between two moments of a history, and how much memory they take."""

from __future__ import annotations

from math import ceil
from pathlib import Path

from emails.message import message_id
from sandbox.demo.stage import Stage
from tests.chaos.rig.books import Books
from tests.chaos.rig.history import Answered, History, Mailed


def spread(name: str, seconds: list[float]) -> dict[str, int]:
    """The median and the 99th percentile in milliseconds, under names that say so; nothing of nothing."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    return {
        f"{name}_p{share}_ms": round(1000 * ordered[ceil(len(ordered) * share / 100) - 1])
        for share in (50, 99)
    }


def acknowledging(history: History, since: float, until: float) -> list[float]:
    """Seconds until a webhook was answered with 2xx."""
    return [each.seconds for each in history.all(Answered, since, until) if each.acknowledged]


def applying(books: Books, since: float, until: float) -> list[float]:
    """Seconds from the commit of an event to that of what it changed, for events received in between."""
    received = {row.event: row.at for row in books.inbox if since <= row.at < until}
    return [each.at - received[each.event] for each in books.applied if each.event in received]


def mailing(history: History, books: Books, domain: str, since: float, until: float) -> list[float]:
    """Seconds from the decision for a mail, which is in the commit of its event, to its arrival."""
    arrived: dict[str, float] = {}
    for each in history.all(Mailed):
        if each.kept:
            arrived.setdefault(each.mail, each.at)
    decided = {message_id(mail.step, domain): mail.decided_at for mail in books.mails}
    return [arrived[key] - at for key, at in decided.items() if since <= at < until and key in arrived]


def latencies(
    history: History, books: Books, domain: str, since: float = 0.0, until: float = float("inf")
) -> dict[str, int]:
    """All three, as `tell` wants them."""
    return (
        spread("ack", acknowledging(history, since, until))
        | spread("applied", applying(books, since, until))
        | spread("mailed", mailing(history, books, domain, since, until))
    )


def memory(scene: Stage) -> dict[str, int]:
    """Resident memory of each of our processes that runs now, in MiB."""
    found = {}
    for name in scene.processes.names():
        status = Path(f"/proc/{scene.processes.named(name).pid}/status").read_text()
        found[f"{name}_mib"] = int(status.partition("VmRSS:")[2].split()[0]) // 1024
    return found
