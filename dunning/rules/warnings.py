"""Final warnings: nobody loses access to our own deadline without having been told three days before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from dunning.case import why_kept
from dunning.rules.context import Context
from dunning.rules.rule import reads
from dunning.steps import FINAL_WARNING, Effect, Step, Withheld, hours

# Two warnings closer together than this say the same thing twice.
APART = timedelta(hours=24)


@reads(FINAL_WARNING)
def final_warnings(c: Context) -> Iterator[Step | Withheld]:
    """Mails before the end of access. Each later one counts back from the end that the first promised.

    A warning that would come at night comes before it: later would be closer to the end than was decided.
    """
    excuse = why_kept(c.s)
    earlier: Effect | None = None
    for before, key in c.terms.warnings:
        done, key = c.warned_by(key), c.anew(key)
        if excuse:
            yield c.withhold(key, excuse)
            continue
        if done:
            earlier = done
            continue
        if earlier and earlier.status in ("pending", "sending"):
            yield c.withhold(key, "the warning before it is still on its way")
        else:
            wanted = (c.ends_at if c.warned_at else c.grace_ends_at) - before
            due_at = _due_at(c, wanted, earlier)
            step = c.mail(key, FINAL_WARNING, due_at, f"access ends in {hours(before)} h")
            yield step.moved(due_at, wanted)
        return


def _due_at(c: Context, wanted: datetime, earlier: Effect | None) -> datetime:
    awake = c.policy.mail_hours.last_open(wanted, c.zone, c.policy.holidays)
    if earlier:
        return awake if awake >= (earlier.arrived_at or earlier.created_at) + APART else wanted
    if c.has_come(wanted):
        # It is late already, and the end moves with it: it need not wake anybody up.
        return c.policy.mail_hours.next_open(c.now, c.zone, c.policy.holidays)
    return max(awake, c.s.case.opened_at)


def all_warnings_tried(c: Context) -> bool:
    """A case that is learned of late is past its grace before anybody could be warned."""
    tried = [c.warned_by(key) for _, key in c.terms.warnings]
    return all(effect and effect.status not in ("pending", "sending") for effect in tried)
