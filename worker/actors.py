"""The actors: shells that hand row ids to a use case. Whatever they do is safe to do twice and at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import dramatiq

from outbound.post import Poster
from worker import queues
from worker.at_work import AtWork
from worker.broker import TIME_LIMIT
from worker.courier import Courier
from worker.queues import Wakeup
from worker.services import Services
from worker.usecases.advance_cases import advance_cases
from worker.usecases.apply_events import apply_events
from worker.usecases.call_provider import call_provider_each
from worker.usecases.deliver import deliver_each
from worker.usecases.reconcile import Reconciling, reconcile_each
from worker.usecases.remembering import Memory
from worker.usecases.sound_alarm import sound_alarm
from worker.usecases.tell_application import tell_each

# Milliseconds. A mail server may take 30 seconds for each of ten answers, and a send cut off is `unknown`.
SEND_LIMIT = 420_000

# Built on the worker's event loop at the first message: an engine belongs to the loop it was made in.
Parts = Callable[[], tuple[Services, Courier, Poster, Mapping[str, Reconciling]]]


def declare(broker: dramatiq.Broker, parts: Parts, at_work: AtWork) -> None:
    """Declare every actor on `broker`, under the names that `worker.queues` promises."""

    def declared(
        wakeup: Wakeup, function: Callable[[list[int]], Awaitable[None]], time_limit: int = TIME_LIMIT
    ) -> None:
        async def noted(ids: list[int]) -> None:
            with at_work.on(wakeup.actor, time_limit // 1000):
                await function(ids)

        register = dramatiq.actor(
            actor_name=wakeup.actor,
            queue_name=wakeup.queue,
            broker=broker,
            max_retries=0,
            time_limit=time_limit,
        )
        register(noted)

    async def apply(ids: list[int]) -> None:
        await apply_events(parts()[0], ids)

    async def advance(ids: list[int]) -> None:
        await advance_cases(parts()[0], ids)

    memory = Memory()

    async def send(ids: list[int]) -> None:
        services, courier, *_ = parts()
        await deliver_each(services, courier, ids, memory=memory)

    async def call(ids: list[int]) -> None:
        await call_provider_each(parts()[0], ids)

    async def alarm(ids: list[int]) -> None:
        services, courier, *_ = parts()
        await sound_alarm(services, courier, ids)

    async def tell(ids: list[int]) -> None:
        services, _, poster, _ = parts()
        await tell_each(services, poster, ids)

    async def reconcile(ids: list[int]) -> None:
        services, _, _, tools = parts()
        await reconcile_each(services, tools, ids)

    declared(queues.EVENTS, apply)
    declared(queues.CASES, advance)
    declared(queues.MAIL, send, SEND_LIMIT)
    declared(queues.TEAM, send, SEND_LIMIT)
    declared(queues.BILLING, call, SEND_LIMIT)
    declared(queues.WEBHOOKS, tell)
    declared(queues.ALARM, alarm, SEND_LIMIT)
    declared(queues.RECONCILE, reconcile, SEND_LIMIT)
