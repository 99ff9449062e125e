"""Mails that came back: a person is called when no address of the customer is left."""

from __future__ import annotations

from collections.abc import Iterator

from dunning.rules.context import Context
from dunning.rules.rule import reads
from dunning.steps import Step

UNREACHABLE = "unreachable"


@reads(UNREACHABLE)
def unreachable(c: Context) -> Iterator[Step]:
    """Once for each time that the last address is lost, however many mails come back from it."""
    since = c.unreachable_since
    if since is None:
        return
    calls = [effect for effect in c.done.values() if effect.name.partition(":")[0] == UNREACHABLE]
    if all(call.created_at < since for call in calls):
        name = f"{UNREACHABLE}:{len(calls) + 1}" if calls else UNREACHABLE
        yield c.team(name, max(since, c.s.case.opened_at), "mails to the customer come back")
