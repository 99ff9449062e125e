"""Every look at once, each within its time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from console.doctor import commet, database, habits, mail, rabbitmq, reach, redis, sender, stripe, systems
from console.doctor.finding import Finding, note
from console.doctor.sender import Resolve
from console.doctor.values import Values
from settings.field import Settings

# Seconds. Longer than any look waits for a single answer.
LIMIT = 30.0

Look = Callable[[Values], Coroutine[Any, Any, list[Finding]]]


def looks(*, selector: str | None = None, resolve: Resolve | None = None) -> Mapping[str, Look]:
    """All that can be looked at, by name, in the order in which a person puts things right."""
    return {
        "database": database.look,
        "redis": redis.look,
        "rabbitmq": rabbitmq.look,
        "systems": systems.look,
        "stripe": stripe.look,
        "commet": commet.look,
        "habits": habits.look,
        "mail": mail.look,
        "results": mail.results,
        "sender": partial(sender.look, selector=selector, resolve=resolve),
        "team": reach.team,
        "page": reach.page,
    }


async def examine(
    values: Values,
    processes: Mapping[str, type[Settings]],
    chosen: Mapping[str, Look],
    done: Callable[[str], None] = lambda _: None,
) -> list[Finding]:
    """What is found, in the order of `chosen`, the settings of `processes` first; `done` hears each name."""
    found = values.findings(processes)
    answers: Sequence[list[Finding]] = await asyncio.gather(
        *(_within_limit(name, look, values, done) for name, look in chosen.items())
    )
    return [*found, *(finding for answer in answers for finding in answer)]


async def _within_limit(name: str, look: Look, values: Values, done: Callable[[str], None]) -> list[Finding]:
    try:
        async with asyncio.timeout(LIMIT):
            return await look(values)
    except TimeoutError:
        harm = "What it would have found is not known."
        return [note(name, f"took longer than {LIMIT:.0f} s", harm, "Look at the network of this machine.")]
    finally:
        done(name)
