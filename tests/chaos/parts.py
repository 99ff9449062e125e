"""The parts that the actors play in a customer's life: what is arranged for each, and what it then does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from db import models
from dunning.policy import Policy
from sandbox.stripe import RetryPolicy
from tests.chaos.crowd import Crowd
from tests.worker.calling import FIRST_RETRY, NO_RETRIES
from tests.worker.plain import PLAIN, plain
from tests.worker.test_mail_results import about, store_mail_event
from worker.courier import Courier
from worker.queues import BILLING, EVENTS, MAIL, TEAM
from worker.services import Services
from worker.usecases.advance_cases import advance_cases
from worker.usecases.apply_events import apply_events
from worker.usecases.call_provider import call_provider_each
from worker.usecases.deliver import deliver_each

Rows = list[list[int]]
"""What waits for the actor, of each customer."""

# Whose grace is this long has had a mail, a warning 72 hours ahead, and nothing else.
GRACE = timedelta(days=4)
# By which a person is called at the first failure.
CALLED_AT_ONCE = plain(high_value={"usd": 1000})


@dataclass(frozen=True)
class Part:
    """One actor: `arrange` brings a crowd to where its work waits, `work` is what it does with rows."""

    actor: str
    arrange: Callable[[Crowd], Rows]
    work: Callable[[Services, Courier, Sequence[int]], Awaitable[None]]
    policy: Policy = PLAIN
    retries: RetryPolicy | None = None
    chat: bool = False


def _events(crowd: Crowd) -> Rows:
    crowd.fail(EVENTS)
    return crowd.unheard()


def _mails(crowd: Crowd) -> Rows:
    crowd.fail(MAIL, TEAM)
    return crowd.waiting("mail")


def _calls(crowd: Crowd) -> Rows:
    crowd.fail(MAIL, TEAM)
    return crowd.waiting("team")


def _charges(crowd: Crowd) -> Rows:
    """Days later, when the first charge of our own has just been decided."""
    crowd.fail(BILLING)
    crowd.pass_to(FIRST_RETRY)
    crowd.world.run(advance_cases(crowd.world.services, crowd.customer_ids()))
    return crowd.waiting("retry")


def _ends(crowd: Crowd) -> Rows:
    """Grace has ended."""
    days = GRACE / timedelta(days=1)
    crowd.fail()
    crowd.until(days - 0.1)
    crowd.pass_to(days)
    return [[row] for row in crowd.customer_ids()]


def _bounces(crowd: Crowd) -> Rows:
    """The first mail was accepted and has come back."""
    crowd.fail()
    world, owners = crowd.world, crowd.customer_ids()
    mails = {row.customer_id: row.step for row in world.rows(models.outbox) if row.kind == "mail"}

    async def store() -> list[int]:
        async with world.services.engine.begin() as connection:
            return [await store_mail_event(connection, "resend", about(mails[each])) for each in owners]

    return [[row] for row in world.run(store())]


async def _apply(services: Services, courier: Courier, ids: Sequence[int]) -> None:
    await apply_events(services, ids)


async def _advance(services: Services, courier: Courier, ids: Sequence[int]) -> None:
    await advance_cases(services, ids)


async def _charge(services: Services, courier: Courier, ids: Sequence[int]) -> None:
    await call_provider_each(services, ids)


PARTS = (
    Part("apply_events", _events, _apply, CALLED_AT_ONCE),
    Part("apply_events of a mail service", _bounces, _apply),
    Part("advance_cases", _ends, _advance, plain(grace=GRACE, final_warnings=(timedelta(hours=72),))),
    Part("send_mail", _mails, deliver_each),
    Part("notify_team", _calls, deliver_each, CALLED_AT_ONCE, chat=True),
    Part("call_provider", _charges, _charge, plain(retries="worker"), NO_RETRIES),
)
