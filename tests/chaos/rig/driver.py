"""Keeps the stage going, injects faults, and writes down every answer that the world outside gets."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sandbox.demo.settled import Open, count
from sandbox.demo.stage import Stage, stage
from sandbox.merchant import DOMAIN
from sandbox.programs import PROGRAMS, command_line
from sandbox.stripe import DeliveryPolicy
from sandbox.stripe.records import Event, Subscription
from tests.chaos.rig import books
from tests.chaos.rig.books import Books
from tests.chaos.rig.checker import Findings, check
from tests.chaos.rig.faults import End, Strike
from tests.chaos.rig.history import Answered, History, Said, Struck
from tests.chaos.rig.mail_service import MailService
from tests.chaos.rig.world import World

T = TypeVar("T")

# Where what happened is kept until the next run of the same name.
KEPT = Path(__file__).parents[3] / ".dunning/chaos"
# Everything runs once, but for schedulers, which are two, as the README has it.
COMMANDS: Mapping[str, Sequence[str]] = {
    **{name: command_line(name) for name in PROGRAMS},
    "scheduler-2": command_line("scheduler"),
}
NOTHING: Mapping[str, str] = MappingProxyType({})
DUPLICATES = 0.08
# Seconds.
TURN = 0.05
STARTED_AGAIN_AFTER = 0.5  # as a service manager would
LOOK_EVERY = 0.3
MARGIN = 10.0


class Driver:
    """One stage and the world around it. Use it from one thread, which the processes live and die with."""

    def __init__(
        self, scene: Stage, history: History, commands: Mapping[str, Sequence[str]], seed: int
    ) -> None:
        self.stage, self.history, self.seed = scene, history, seed
        self.directory = scene.logs.parent
        self.world = World(scene, history, seed)
        self._commands = commands
        self._late: list[Strike] = []
        self._starting: list[tuple[float, str]] = []
        self._ending: list[tuple[float, Strike, float, End]] = []
        self._noted = 0
        self.answer_mails(MailService(history, seed))
        # Before the delivery, so that it is written down before anybody can have heard of it.
        scene.stripe.engine.ledger.listeners.insert(0, self._note_event)

    def answer_mails(self, service: MailService) -> None:
        """Have this service decide what becomes of mails from now on."""
        self.mails = service
        self.stage.inbox.fate = service.fate

    # faults

    def strike(self, strikes: Iterable[Strike], seconds: float) -> None:
        """Inject one fault after the other for so long, and return when the last one is over.

        The first that comes too late is not lost: the next call begins with it.
        """
        end = time.monotonic() + seconds
        for each in chain(self._late, strikes):
            self._late = [each]
            if time.monotonic() + each.after > end:
                break
            self._late = []
            self.wait(each.after)
            self.begin(each)
        self.until(lambda: not self._ending, 60, "every fault is over")

    def begin(self, strike: Strike) -> None:
        """Begin one fault, unless its target suffers already; it ends by itself while this driver waits."""
        if any(other.kind.target == strike.kind.target for _, other, _, _ in self._ending):
            return
        try:
            end = strike.kind.begin(self.stage)
        except LookupError:  # the process is dead at this moment
            return
        self._ending.append((time.monotonic() + strike.lasts, strike, time.time(), end))

    # time

    def until(self, condition: Callable[[], object], seconds: float, what: str) -> None:
        """Wait for the condition, looking after everything; fails the test after `seconds`."""
        deadline = time.monotonic() + seconds
        while not condition():
            self._look_after()
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
            time.sleep(TURN)

    def wait(self, seconds: float) -> None:
        """Let time pass, looking after everything."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end, seconds + MARGIN, "time passes")

    def settle(self, within: float) -> float:
        """Wait until everything is acknowledged and done; answers the seconds since the last fault.

        What is not done `within` so many seconds stays for the checker to find.
        """
        began = time.time()
        while (self.unheard() or self.left()) and time.time() < began + within:
            self.wait(LOOK_EVERY)
        last = max((struck.until for struck in self.history.all(Struck)), default=began)
        return round(time.time() - last, 1)

    def unheard(self) -> int:
        """How many deliveries of Stripe nobody has acknowledged yet."""
        return self.stage.stripe.delivery.left

    def left(self) -> Open:
        """What is still to be done, as the tables say."""
        return self._ask(count)

    def execute(self, statement: str) -> None:
        """Change the database behind everybody's back."""

        async def change(engine: AsyncEngine) -> None:
            async with engine.begin() as connection:
                await connection.execute(text(statement))

        self._ask(change)

    # what came of it

    def books(self) -> Books:
        """What the database holds now; a copy is kept beside the history."""
        found = self._ask(books.read)
        (self.directory / "books.json").write_text(json.dumps(asdict(found), indent=1))
        return found

    def findings(self, found: Books) -> Findings:
        """Ask for everybody's access once more, and have everything checked."""
        self._look_after()
        self.world.look_at_all()
        return check(self.history, found, DOMAIN)

    def _ask(self, question: Callable[[AsyncEngine], Awaitable[T]]) -> T:
        async def ask() -> T:
            engine = create_async_engine(self.stage.database_url, poolclass=NullPool)
            return await question(engine)

        return asyncio.run(ask())

    # what is looked after

    def _look_after(self) -> None:
        now = time.monotonic()
        for over in [each for each in self._ending if each[0] <= now]:
            _, strike, began, end = over
            end()
            self._ending.remove(over)
            self.history.write(Struck(began, time.time(), strike.kind.name))
        self._starting += [(now + STARTED_AGAIN_AFTER, gone.name) for gone in self.stage.processes.poll()]
        for due in [each for each in self._starting if each[0] <= now]:
            self._starting.remove(due)
            command = self._commands[due[1]]
            self.stage.processes.start(due[1], command, self.stage.environment, cwd=self.stage.logs)
        self._note_answers()
        self.world.check()

    def _note_answers(self) -> None:
        fresh = self.stage.stripe.delivery.log[self._noted :]
        self._noted += len(fresh)
        for each in fresh:
            self.history.write(Answered(each.at.timestamp(), each.event_id, each.status, each.seconds))

    def _note_event(self, event: Event) -> None:
        subject = event.subject
        status = subject.status if isinstance(subject, Subscription) else None
        who = getattr(subject, "customer", None)
        self.history.write(Said(time.time(), event.id, event.type, who, status))


@contextmanager
def driving(
    name: str,
    seed: int,
    commands: Mapping[str, Sequence[str]] = COMMANDS,
    settings: Mapping[str, str] = NOTHING,
) -> Iterator[Driver]:
    """A stage with real processes, all kept in `.dunning/chaos/NAME`: mails, logs, history and books."""
    directory = KEPT / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    delivery = DeliveryPolicy(duplicates=DUPLICATES, shuffle=True, seed=seed)
    with (
        History(directory / "history.jsonl") as history,
        stage(
            directory, seed, programs=commands, settings=settings, delivery=delivery, durable=True
        ) as scene,
    ):
        yield Driver(scene, history, commands, seed)
