"""What goes wrong: each kind begins, lasts, and ends. In which order and for how long, a seed says."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from sandbox.demo.stage import Stage

End = Callable[[], None]
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault. `begin` answers how it ends.

    `target` is what it concerns, which has one fault at a time; `lasts` are the seconds from its begin to its
    end, at least and at most.
    """

    name: str
    target: str
    begin: Callable[[Stage], End]
    lasts: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault to come: `after` so many seconds, lasting for `lasts`."""

    kind: Kind
    after: float
    lasts: float


def killed(name: str) -> Kind:
    """SIGKILL of one of our processes; whoever watches over it starts it again."""

    def begin(stage: Stage) -> End:
        stage.processes.named(name).kill()
        return lambda: None

    return Kind(f"{name} killed", name, begin)


def frozen(name: str, lasts: tuple[float, float] = (1.0, 5.0)) -> Kind:
    """SIGSTOP of one of our processes, and SIGCONT: a virtual machine that pauses, a long wait for memory."""
    return Kind(f"{name} frozen", name, lambda stage: _stop(stage.processes.named(name).pid), lasts)


def _stop(pid: int) -> End:
    os.kill(pid, signal.SIGSTOP)

    def go_on() -> None:
        with suppress(ProcessLookupError):  # it may have been killed meanwhile
            os.kill(pid, signal.SIGCONT)

    return go_on


def _lose_redis(stage: Stage) -> End:
    """It is gone with all that it knew, and comes back empty."""
    stage.valkey.kill()
    shutil.rmtree(stage.valkey.data / "appendonlydir")
    return stage.valkey.start


def _restart_postgres(stage: Stage) -> End:
    """`pg_ctl restart -m immediate`: no session is asked, and the start is a recovery from a crash."""
    os.kill(stage.postgres.pid, signal.SIGQUIT)

    def start() -> None:
        while not stage.postgres.revive():
            time.sleep(POLL_SECONDS)

    return start


REDIS_LOST = Kind("redis lost", "redis", _lose_redis, (0.5, 2.0))
REDIS_FROZEN = Kind("redis frozen", "redis", lambda stage: _stop(stage.valkey.pid), (1.0, 4.0))
POSTGRES_RESTARTED = Kind("postgres restarted", "postgres", _restart_postgres, (0.0, 2.0))
KINDS = (
    *(killed(name) for name in ("receiver", "worker", "mailer", "scheduler", "scheduler-2")),
    frozen("worker"),
    REDIS_LOST,
    REDIS_FROZEN,
    POSTGRES_RESTARTED,
)


def storm(seed: int, gap: tuple[float, float], kinds: Sequence[Kind] = KINDS) -> Iterator[Strike]:
    """Strikes without end, so far apart: every kind once in some order, and then all of them again."""
    random = Random(seed)  # noqa: S311  # repeatable, not a secret
    while True:
        for kind in random.sample(kinds, len(kinds)):
            yield Strike(kind, random.uniform(*gap), random.uniform(*kind.lasts))
