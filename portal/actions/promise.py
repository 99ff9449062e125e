"""Promise to pay by a day within what the policy allows: mails, our charges and the deadline wait for it."""

from __future__ import annotations

from datetime import date

from dunning.instructions import THE_CUSTOMER, Verb
from dunning.requests import Request
from portal.actions import Action, Answer, Asked, Shown
from portal.facts import Facts
from worker.queues import CASES
from worker.usecases.instruct import RefusedError, instruct

WHY = "promised on the page"


def _suits(seen: Facts) -> bool:
    return seen.payable and seen.promise_within is not None


async def _promise(asked: Asked) -> Answer:
    behind, services = asked.behind, asked.services
    reach = asked.seen.promise_within
    day = _day(asked.form.get("day", ""))
    if reach is None or day is None or not reach[0] <= day <= reach[1]:
        return Shown("no_such_day", {"last": reach[1] if reach else None})
    request = Request(Verb.PROMISE, THE_CUSTOMER, WHY, case=behind.link.case, until=day)
    try:
        async with services.engine.begin() as connection:
            told = await instruct(
                connection,
                behind.link.customer_id,
                request,
                policy=services.policy,
                zone=behind.context.policy.zone,
                now=services.clock(),
            )
    except RefusedError:
        return Shown("no_such_day", {"last": reach[1]})
    await services.nudge(CASES, [behind.link.customer_id])
    return Shown("promised", {"until": told.until})


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


PROMISE = Action("promise", _suits, _promise, pays=False)
