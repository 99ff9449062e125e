"""Webhook delivery: signed, at least once, again and again until somebody says 2xx."""

import asyncio
import json
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from threading import Condition

import httpx

from sandbox.stripe.endpoints import Delivery, DeliveryPolicy, Endpoint
from sandbox.stripe.objects import render_event, thin_event
from sandbox.stripe.records import Event
from sandbox.stripe.signatures import sign
from sandbox.stripe.versions import NEW, ApiVersion

_HEADERS = {
    "Accept": "*/*; q=0.5, application/xml",
    "Cache-Control": "no-cache",
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
}


@dataclass(frozen=True, slots=True)
class _Parcel:
    endpoint: Endpoint
    event: Event
    duplicate: bool
    account: str


class WebhookDelivery:
    """Sends events to endpoints. Usable from any thread once `start` has run in the loop that sends.

    `log` holds every try in the order of its answer. `wall` tells the time of signing, in unix seconds.
    """

    def __init__(
        self, policy: DeliveryPolicy | None = None, *, wall: Callable[[], float] = time.time
    ) -> None:
        self.policy = policy or DeliveryPolicy()
        self.endpoints: list[Endpoint] = []
        self.log: list[Delivery] = []
        self._wall = wall
        self._random = Random(self.policy.seed)  # noqa: S311  repeatable disorder, not a secret
        self._changed = Condition()
        self._waiting: list[_Parcel] = []
        self._unacknowledged: Counter[str] = Counter()
        self._left = 0
        self._holds = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def add_endpoint(
        self,
        url: str,
        secret: str | Sequence[str],
        api_version: str = NEW,
        enabled_events: Sequence[str] = ("*",),
        *,
        thin: bool = False,
        account: str = "",
        connect: bool = False,
    ) -> Endpoint:
        """Send later events there as well; several secrets give several signatures."""
        endpoint = Endpoint(
            url=url,
            secrets=(secret,) if isinstance(secret, str) else tuple(secret),
            version=ApiVersion(api_version),
            enabled_events=tuple(enabled_events),
            thin=thin,
            account=account,
            connect=connect,
        )
        self.endpoints.append(endpoint)
        return endpoint

    def remove_endpoint(self, endpoint: Endpoint) -> None:
        """Stop sending there; what is not acknowledged yet is dropped, as Stripe does."""
        self.endpoints.remove(endpoint)

    def count(self, event_type: str, account: str = "") -> int:
        """How many endpoints will get such an event of this account."""
        return sum(endpoint.wants(event_type, account) for endpoint in self.endpoints)

    def accept(self, event: Event, account: str = "") -> None:
        """Take an event of this account for delivery."""
        with self._changed:
            for endpoint in self.endpoints:
                if endpoint.wants(event.type, account):
                    twice = self._random.random() < self.policy.duplicates
                    again = (False, True)[: 1 + twice]
                    parcels = [_Parcel(endpoint, event, each, account) for each in again]
                    self._waiting += parcels
                    self._unacknowledged[event.id] += len(parcels)
                    self._left += len(parcels)
        self._wake()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep everything back inside, then send it at once: with a seed, the same shuffle every time."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            self._wake()

    def acknowledged(self, event_id: str) -> bool:
        """Whether nothing of this event is still to be delivered."""
        with self._changed:
            return self._unacknowledged[event_id] == 0

    @property
    def left(self) -> int:
        """How many deliveries are not acknowledged yet."""
        with self._changed:
            return self._left

    def of(self, event_id: str) -> list[Delivery]:
        """Every try for one event."""
        return [each for each in self.log if each.event_id == event_id]

    def wait(self, deadline: float = 10.0) -> None:
        """Block until everything is acknowledged; raises TimeoutError after `deadline` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._left == 0, deadline):
                raise TimeoutError(f"{self._left} webhook deliveries not acknowledged within {deadline} s")

    async def drain(self, deadline: float = 10.0) -> None:
        """`wait` for a caller that runs in an event loop."""
        await asyncio.to_thread(self.wait, deadline)

    # in the sending loop

    def start(self) -> None:
        """Begin to send in the running loop."""
        self._loop = asyncio.get_running_loop()
        self._slots = asyncio.Semaphore(self.policy.concurrency)
        # Endpoints are on loopback; to read whom the internet trusts takes longer than all else of a start.
        nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client = httpx.AsyncClient(timeout=self.policy.timeout, trust_env=False, verify=nobody)
        self._send_waiting()

    async def stop(self) -> None:
        """Drop what is under way."""
        self._loop = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def _wake(self) -> None:
        if self._loop is not None and self._holds == 0:
            self._loop.call_soon_threadsafe(self._send_waiting)

    def _send_waiting(self) -> None:
        if self._holds or self._loop is None:
            return
        with self._changed:
            parcels, self._waiting = self._waiting, []
            if self.policy.shuffle:
                self._random.shuffle(parcels)
        for parcel in parcels:
            task = self._loop.create_task(self._deliver(parcel))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, parcel: _Parcel) -> None:
        render = thin_event if parcel.endpoint.thin else render_event
        content = render(parcel.event, parcel.endpoint.version)
        if parcel.endpoint.connect:
            content |= {"context" if parcel.endpoint.thin else "account": parcel.account}
        body = json.dumps(content, indent=2, ensure_ascii=False).encode()
        number = 0
        while parcel.endpoint in self.endpoints:
            number += 1
            async with self._slots:
                outcome = await self._try(parcel, body, number)
            self.log.append(outcome)
            if outcome.acknowledged:
                break
            await asyncio.sleep(self.policy.pause_after(number))
        with self._changed:
            self._unacknowledged[parcel.event.id] -= 1
            self._left -= 1
            self._changed.notify_all()

    async def _try(self, parcel: _Parcel, body: bytes, number: int) -> Delivery:
        signature = sign(body, parcel.endpoint.secrets, int(self._wall()))
        status, error = None, None
        began = time.perf_counter()
        try:
            answer = await self._client.post(
                parcel.endpoint.url,
                content=body,
                headers=_HEADERS | {"Stripe-Signature": signature},
            )
            status = answer.status_code
        except Exception as failure:
            # Not httpx.HTTPError alone: a connection that is reset as it opens is an AttributeError in anyio.
            error = type(failure).__name__
        return Delivery(
            endpoint=parcel.endpoint.url,
            event_id=parcel.event.id,
            event_type=parcel.event.type,
            number=number,
            duplicate=parcel.duplicate,
            status=status,
            error=error,
            at=datetime.fromtimestamp(self._wall(), UTC),
            seconds=time.perf_counter() - began,
        )
