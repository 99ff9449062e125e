"""What each step costs, as measured; the model knows nothing else of the program."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Batch:
    """Processor seconds of a step: once for however many are done together, and for each of them."""

    once: float
    each: float

    def of(self, count: float) -> float:
        """Of so many together."""
        return self.once + self.each * count

    def share(self, count: float) -> float:
        """Of one, where so many are done together."""
        return self.of(count) / count


@dataclass(frozen=True, slots=True)
class Costs:
    """Processor seconds, unless it says otherwise. Where each comes from is in docs/scaling.md."""

    receive: Batch = Batch(0.0004, 0.00030)
    """The receiver: a statement; an event that is read, checked, nudged and answered."""
    receive_database: Batch = Batch(0.0002, 0.00010)
    apply: Batch = Batch(0.0090, 0.00080)
    """The worker: a batch's transactions; an event that is normalised, folded, planned and written."""
    apply_database: Batch = Batch(0.0030, 0.00040)
    ask: float = 0.0040
    """The worker, for a question to the provider and its answer."""
    mail: float = 0.0170
    """The mail worker."""
    mail_database: float = 0.0030
    redis: float = 0.00020
    """Redis, for one message from the nudge to its acknowledgement."""
    commit: float = 0.0015
    """Seconds until the disk has a commit, with no processor in use."""


@dataclass(frozen=True, slots=True)
class World:
    """What kind of events come, and what the others do. Times are seconds, limits are by the second."""

    failing: float = 0.05
    """The share of events that the provider is asked about."""
    questions: int = 3
    """To the provider, about each of those."""
    mailed: float = 0.5
    """Mails for each of those."""
    answer: float = 0.20
    """Until the provider answers."""
    provider_limit: float = 100.0
    """Questions that it takes; others wait for their turn."""
    smtp: float = 0.10
    """Until the mail service has taken a mail."""
    smtp_limit: float = 14.0
    """Mails that it takes."""
    provider_processor: float = 0.0
    """Of a simulated provider on the same machine, for a question."""
    smtp_processor: float = 0.0
    """Of a mail server on the same machine, for a mail."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """How many of each, and how much each does at once."""

    receivers: int = 2
    workers: int = 1
    mailers: int = 1
    schedulers: int = 2
    threads: int = 8
    """Of each worker and mail worker."""
    database_cores: int = 2
    machine_cores: int = 0
    """Everything shares so many cores; with 0 each process has one to itself."""
    gathered: int = 64
    """Events that a receiver stores by one statement, at most."""
    batch: int = 50
    """Events in a message, at most."""
    idle: float = 0.1
    """Seconds, at most, until an idle worker looks at its queue."""
    handed_out: float = 500.0
    """Events of a backlog that schedulers hand out in a second."""
