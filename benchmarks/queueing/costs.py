"""What each step costs, as measured, and what others allow; the model knows nothing else of the program.

What each number is, `python -m benchmarks.simulate --help` says in the words beside it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

MEASURED = Path(__file__).parent / "measured.json"
"""What `python -m benchmarks.costs --write` found last, and on which machine."""


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


_FOUND: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8"))["costs"]


def split(alone: float, at_once: float, together: float) -> Batch:
    """Whom a step's seconds are for: given those of one by itself, and of one among so many together."""
    each = (at_once - alone / together) / (1 - 1 / together) if together > 1 else 0.0
    each = min(max(each, 0.0), alone)
    return Batch(once=alone - each, each=each)


@dataclass(frozen=True, slots=True)
class Costs:
    """Processor seconds, unless it says otherwise, as `benchmarks.costs` has measured them."""

    receive: Annotated[Batch, "of the receiver, stored and answered"] = Batch(**_FOUND["receive"])
    receive_database: Annotated[Batch, "of PostgreSQL for that"] = Batch(**_FOUND["receive_database"])
    apply: Annotated[Batch, "of the worker, from the inbox to facts and decisions"] = Batch(**_FOUND["apply"])
    apply_database: Annotated[Batch, "of PostgreSQL for that"] = Batch(**_FOUND["apply_database"])
    ask: Annotated[float, "of the worker, for a question to the provider"] = _FOUND["ask"]
    mail: Annotated[float, "of the mail worker, for a mail"] = _FOUND["mail"]
    mail_database: Annotated[float, "of PostgreSQL for that"] = _FOUND["mail_database"]
    redis: Annotated[float, "of Redis, for a message"] = _FOUND["redis"]
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
    idle: Annotated[float, "seconds, at most, until an idle worker looks at its queue; 0: it is woken"] = 0.0
    handed_out: Annotated[float, "events of a backlog that schedulers hand out in a second"] = 5000.0
