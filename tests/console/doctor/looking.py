"""Looking without the command: settings given here, and what is found by level."""

import asyncio
from collections.abc import Awaitable, Callable

from console.doctor.finding import Finding, Level
from console.doctor.values import Values
from tests.settings.examples import ALL


def values(**changes: str) -> Values:
    """Complete settings with these changes; an empty one counts as not set."""
    return Values({name: value for name, value in (ALL | changes).items() if value}, None)


def found(look: Callable[[Values], Awaitable[list[Finding]]], **changes: str) -> list[Finding]:
    async def within_limit() -> list[Finding]:
        async with asyncio.timeout(20):
            return await look(values(**changes))

    return asyncio.run(within_limit())


def said(findings: list[Finding], level: Level) -> list[str]:
    """What was said at that level; whatever is not good must name its risk and its cure."""
    for each in findings:
        assert each.level is Level.GOOD or (each.risk and each.cure), each
    return [each.said for each in findings if each.level is level]
