"""What each step costs, as measured, and what others allow; the model knows nothing else of the program."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


def _number(default: T, about: str) -> T:
    """A field of which `python -m benchmarks.simulate --help` says what it is."""
    made: T = field(default=default, metadata={"about": about})
    return made


@dataclass(frozen=True, slots=True)
class Batch:
    """Processor seconds of a step that is done for many together."""

    once: float = _number(0.0, "for a batch")
    each: float = _number(0.0, "for each in it")

    def of(self, count: float) -> float:
        """Of so many together."""
        return self.once + self.each * count

    def share(self, count: float) -> float:
        """Of one, where so many are done together."""
        return self.of(count) / count


_RECEIVE, _RECEIVE_DATABASE = Batch(0.0004, 0.00030), Batch(0.0002, 0.00010)
_APPLY, _APPLY_DATABASE = Batch(0.0090, 0.00080), Batch(0.0030, 0.00040)


@dataclass(frozen=True, slots=True)
class Costs:
    """Processor seconds, unless it says otherwise. Where each comes from is in docs/scaling.md."""

    receive: Batch = _number(_RECEIVE, "of the receiver, stored and answered")
    receive_database: Batch = _number(_RECEIVE_DATABASE, "of PostgreSQL for that")
    apply: Batch = _number(_APPLY, "of the worker, from the inbox to facts and decisions")
    apply_database: Batch = _number(_APPLY_DATABASE, "of PostgreSQL for that")
    ask: float = _number(0.0040, "of the worker, for a question to the provider")
    mail: float = _number(0.0170, "of the mail worker, for a mail")
    mail_database: float = _number(0.0030, "of PostgreSQL for that")
    redis: float = _number(0.00020, "of Redis, for a message")
    commit: float = _number(0.0015, "until the disk has a commit, nobody's processor")


@dataclass(frozen=True, slots=True)
class World:
    """What kind of events come, and what the others do."""

    failing: float = _number(0.05, "share of events that the provider is asked about")
    questions: int = _number(3, "asked about each of those")
    mailed: float = _number(0.5, "mails for each of those")
    answer: float = _number(0.20, "seconds until the provider answers")
    provider_limit: float = _number(100.0, "questions a second that it takes; others wait their turn")
    smtp: float = _number(0.10, "seconds until the mail service has taken a mail")
    smtp_limit: float = _number(14.0, "mails a second that it takes")
    provider_processor: float = _number(
        0.0, "seconds of a simulated provider on the same machine, a question"
    )
    smtp_processor: float = _number(0.0, "seconds of a mail server on the same machine, a mail")


@dataclass(frozen=True, slots=True)
class Fleet:
    """How many of each, and how much each does at once."""

    receivers: int = _number(2, "processes")
    workers: int = _number(1, "processes, for everything but mails")
    mailers: int = _number(1, "processes, for mails")
    schedulers: int = _number(2, "processes; they only count as connections")
    threads: int = _number(8, "of each worker and mail worker")
    database_cores: int = _number(2, "of PostgreSQL")
    machine_cores: int = _number(0, "that everything shares; 0: each process has one, PostgreSQL its own")
    gathered: int = _number(64, "events that a receiver stores by one statement, at most")
    batch: int = _number(50, "events in a message, at most")
    idle: float = _number(0.1, "seconds, at most, until an idle worker looks at its queue")
    handed_out: float = _number(500.0, "events of a backlog that schedulers hand out in a second")
