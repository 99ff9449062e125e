"""Some minutes of an installation, event by event: how long each waits for its turn everywhere."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random

from benchmarks.queueing.costs import Costs, Fleet, World

SHARE_OF_CLAIM = 0.5
"""Of what a batch costs once, for its first transaction: the questions to the provider follow that."""


class Line:
    """So many servers and one queue for them, first come, first served. Asked in the order of time."""

    def __init__(self, servers: int) -> None:
        self._free = [0.0] * servers

    def until(self, now: float, seconds: float) -> float:
        """When whoever joins now, and takes so long, is done."""
        begins = max(now, heapq.heappop(self._free))
        heapq.heappush(self._free, begins + seconds)
        return begins + seconds


@dataclass(frozen=True, slots=True)
class Event:
    """When it arrived, whether the provider is asked about it, and whether a mail follows."""

    at: float
    asked: bool
    mailed: bool


@dataclass(frozen=True, slots=True)
class Lived:
    """Seconds since each event's arrival, the shortest first."""

    answered: list[float] = field(default_factory=list)
    applied: list[float] = field(default_factory=list)
    mailed: list[float] = field(default_factory=list)


@dataclass
class Process:
    """Threads that take work from a queue, and the core that they share."""

    core: Line
    threads: int
    waiting: deque[Sequence[Event]] = field(default_factory=deque)
    busy: int = 0


Happening = Callable[[float], None]
Begin = Callable[[Process, Sequence[Event], float], None]


class Life:
    """An installation and its time. The same for the same seed."""

    def __init__(self, rate: float, costs: Costs, world: World, fleet: Fleet, seed: int = 1) -> None:
        """`rate` is in events a second; nothing has happened yet."""
        self._rate, self._costs, self._world, self._fleet = rate, costs, world, fleet
        self._random = Random(seed)  # noqa: S311  # chance, not a secret
        self._calendar: list[tuple[float, int, Happening]] = []
        self._numbers = itertools.count()
        machine = Line(fleet.machine_cores) if fleet.machine_cores else None
        self._database = machine or Line(fleet.database_cores)
        self._outside = machine or Line(1)
        self._provider, self._post = Line(1), Line(1)
        self._receivers = [Process(machine or Line(1), 1) for _ in range(fleet.receivers)]
        self._workers = [Process(machine or Line(1), fleet.threads) for _ in range(fleet.workers)]
        self._mailers = [Process(machine or Line(1), fleet.threads) for _ in range(fleet.mailers)]
        self._lived = Lived()

    def live(self, seconds: float) -> Lived:
        """Have events arrive for so long, and go on until the last of them is done."""
        at = 0.0
        while (at := at + self._random.expovariate(self._rate)) < seconds:
            asked = self._random.random() < self._world.failing
            mailed = asked and self._random.random() < self._world.mailed
            self._at(at, partial(self._arrive, Event(at, asked, mailed)))
        while self._calendar:
            now, _, happening = heapq.heappop(self._calendar)
            happening(now)
        for waits in (self._lived.answered, self._lived.applied, self._lived.mailed):
            waits.sort()
        return self._lived

    def _at(self, time: float, happening: Happening) -> None:
        heapq.heappush(self._calendar, (time, next(self._numbers), happening))

    def _arrive(self, event: Event, now: float) -> None:
        receiver = self._random.choice(self._receivers)
        receiver.waiting.append([event])
        if not receiver.busy:
            self._gather(receiver, now)

    def _gather(self, receiver: Process, now: float) -> None:
        """All that wait there share a statement and a commit; what comes meanwhile has to wait for them."""
        receiver.busy = min(1, len(receiver.waiting))
        if not receiver.waiting:
            return
        many = min(len(receiver.waiting), self._fleet.gathered)
        events = [receiver.waiting.popleft()[0] for _ in range(many)]
        read = receiver.core.until(now, self._costs.receive.of(many))
        self._at(read, partial(self._insert, receiver, events))

    def _insert(self, receiver: Process, events: Sequence[Event], now: float) -> None:
        written = self._database.until(now, self._costs.receive_database.of(len(events)))
        self._at(written + self._costs.commit, partial(self._answer, receiver, events))

    def _answer(self, receiver: Process, events: Sequence[Event], now: float) -> None:
        self._lived.answered.extend(now - event.at for event in events)
        for first in range(0, len(events), self._fleet.batch):
            self._wake(self._workers, events[first : first + self._fleet.batch], self._take_up, now)
        self._gather(receiver, now)

    def _wake(
        self,
        processes: Sequence[Process],
        events: Sequence[Event],
        begin: Begin,
        now: float,
    ) -> None:
        """A message: whoever has least to do takes it, an idle one when it looks at its queue next."""
        process = min(processes, key=lambda each: each.busy + len(each.waiting))
        if process.busy >= process.threads:
            process.waiting.append(events)
            return
        look = 0.0 if process.busy else self._random.uniform(0.0, self._fleet.idle)
        process.busy += 1
        self._at(now + look, partial(begin, process, events))

    def _leave(self, process: Process, begin: Begin, now: float) -> None:
        if process.waiting:
            begin(process, process.waiting.popleft(), now)
        else:
            process.busy -= 1

    def _take_up(self, worker: Process, events: Sequence[Event], now: float) -> None:
        claimed = worker.core.until(now, self._costs.apply.once * SHARE_OF_CLAIM) + self._costs.commit
        asked = sum(event.asked for event in events)
        apply = partial(self._apply, worker, events)
        # One question about each first; what else is asked follows from its answer, all at once.
        rest = partial(self._ask, worker, asked * (self._world.questions - 1), apply)
        self._at(claimed, partial(self._ask, worker, asked, rest))

    def _ask(self, worker: Process, questions: int, then: Happening, now: float) -> None:
        """So many at once, and go on when the last is answered."""
        if not questions:
            then(now)
            return
        left = [questions]

        def answered(now: float) -> None:
            left[0] -= 1
            if not left[0]:
                then(now)

        limit = 1 / self._world.provider_limit
        for _ in range(questions):
            turn = self._provider.until(now, limit) - limit
            self._at(turn, partial(self._question, worker, answered))

    def _question(self, worker: Process, then: Happening, now: float) -> None:
        sent = worker.core.until(now, self._costs.ask)
        self._at(sent, partial(self._outside_does, self._world.provider_processor, self._world.answer, then))

    def _outside_does(self, cost: float, wait: float, then: Happening, now: float) -> None:
        """Somebody else's part: their time, some of it of a processor where they are on this machine."""
        self._at((self._outside.until(now, cost) if cost else now) + wait, then)

    def _apply(self, worker: Process, events: Sequence[Event], now: float) -> None:
        once = self._costs.apply.once * (1 - SHARE_OF_CLAIM)
        decided = worker.core.until(now, once + self._costs.apply.each * len(events))
        self._at(decided, partial(self._write, worker, events))

    def _write(self, worker: Process, events: Sequence[Event], now: float) -> None:
        written = self._database.until(now, self._costs.apply_database.of(len(events)))
        self._at(written + self._costs.commit, partial(self._applied, worker, events))

    def _applied(self, worker: Process, events: Sequence[Event], now: float) -> None:
        self._lived.applied.extend(now - event.at for event in events)
        for event in events:
            if event.mailed:
                self._wake(self._mailers, [event], self._compose, now)
        self._leave(worker, self._take_up, now)

    def _compose(self, mailer: Process, events: Sequence[Event], now: float) -> None:
        made = mailer.core.until(now, self._costs.mail)
        self._at(made, partial(self._claim, mailer, events))

    def _claim(self, mailer: Process, events: Sequence[Event], now: float) -> None:
        claimed = self._database.until(now, self._costs.mail_database) + 2 * self._costs.commit
        self._at(claimed, partial(self._hand_over, mailer, events))

    def _hand_over(self, mailer: Process, events: Sequence[Event], now: float) -> None:
        limit = 1 / self._world.smtp_limit
        turn = self._post.until(now, limit) - limit
        sent = partial(self._sent, mailer, events)
        self._at(turn, partial(self._outside_does, self._world.smtp_processor, self._world.smtp, sent))

    def _sent(self, mailer: Process, events: Sequence[Event], now: float) -> None:
        self._lived.mailed.extend(now - event.at for event in events)
        self._at(now + self._costs.commit, partial(self._leave, mailer, self._compose))
