"""What each step costs, as measured, and what others allow; the model knows nothing else of the program.

What each number is, `python -m benchmarks.simulate --help` says in the words beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True, slots=True)
class Batch:
    """Processor seconds of a step that is done for many together."""

    once: Annotated[float, "for a batch"] = 0.0
    each: Annotated[float, "for each in it"] = 0.0

    def of(self, count: float) -> float:
        """Of so many together."""
        return self.once + self.each * count

    def share(self, count: float) -> float:
        """Of one, where so many are done together."""
        return self.of(count) / count


_RECEIVE, _RECEIVE_DATABASE = Batch(0.0012, 0.0003), Batch(0.0005, 0.0001)
_APPLY, _APPLY_DATABASE = Batch(0.0118, 0.0008), Batch(0.0033, 0.0004)


@dataclass(frozen=True, slots=True)
class Costs:
    """Processor seconds, unless it says otherwise. Where each comes from is in docs/scaling.md."""

    receive: Annotated[Batch, "of the receiver, stored and answered"] = _RECEIVE
    receive_database: Annotated[Batch, "of PostgreSQL for that"] = _RECEIVE_DATABASE
    apply: Annotated[Batch, "of the worker, from the inbox to facts and decisions"] = _APPLY
    apply_database: Annotated[Batch, "of PostgreSQL for that"] = _APPLY_DATABASE
    ask: Annotated[float, "of the worker, for a question to the provider"] = 0.0116
    mail: Annotated[float, "of the mail worker, for a mail"] = 0.0245
    mail_database: Annotated[float, "of PostgreSQL for that"] = 0.0117
    redis: Annotated[float, "of Redis, for a message"] = 0.0003
    commit: Annotated[float, "until the disk has a commit, nobody's processor"] = 0.0015


@dataclass(frozen=True, slots=True)
class World:
    """What kind of events come, and what the others do."""

    failing: Annotated[float, "share of events that the provider is asked about"] = 0.05
    questions: Annotated[int, "asked about each of those"] = 2
    mailed: Annotated[float, "mails for each of those"] = 0.5
    answer: Annotated[float, "seconds until the provider answers"] = 0.20
    provider_limit: Annotated[float, "questions a second that it takes; others wait their turn"] = 100.0
    smtp: Annotated[float, "seconds until the mail service has taken a mail"] = 0.10
    smtp_limit: Annotated[float, "mails a second that it takes"] = 14.0
    provider_processor: Annotated[float, "seconds of a simulated one on the same machine, a question"] = 0.0
    smtp_processor: Annotated[float, "seconds of a mail server on the same machine, a mail"] = 0.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """How many of each, and how much each does at once."""

    receivers: Annotated[int, "processes"] = 2
    workers: Annotated[int, "processes, for everything but mails"] = 1
    mailers: Annotated[int, "processes, for mails"] = 1
    schedulers: Annotated[int, "processes; they only count as connections"] = 2
    threads: Annotated[int, "of each worker and mail worker"] = 8
    database_cores: Annotated[int, "of PostgreSQL"] = 2
    machine_cores: Annotated[int, "that everything shares; 0: each process has one, PostgreSQL its own"] = 0
    gathered: Annotated[int, "events that a receiver stores by one statement, at most"] = 64
    batch: Annotated[int, "events in a message, at most"] = 50
    idle: Annotated[float, "seconds, at most, until an idle worker looks at its queue"] = 0.1
    handed_out: Annotated[float, "events of a backlog that schedulers hand out in a second"] = 500.0
