"""A simulated Stripe that listens on loopback, in a thread of its own."""

import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from functools import partial
from threading import Event as Signal
from threading import Thread

import uvicorn
from starlette.applications import Starlette

from sandbox.stripe.api.app import LoggedRequest, StripeApi
from sandbox.stripe.api.faults import Faults
from sandbox.stripe.delivery import WebhookDelivery
from sandbox.stripe.endpoints import DeliveryPolicy, Endpoint
from sandbox.stripe.engine import BillingEngine
from sandbox.stripe.hosted import hosted_pages
from sandbox.stripe.policy import RetryPolicy
from sandbox.stripe.records import Application
from sandbox.stripe.timeline import START
from sandbox.stripe.versions import NEW

# Seconds until a start or a stop that hangs is an error.
PATIENCE = 10.0


class SimulatedStripe:
    """Engine, API, hosted pages and webhook delivery; drive it by `engine` from any thread.

    That is the main account's. More can be added: others with keys of their own, and connected ones.
    """

    def __init__(
        self, engine: BillingEngine, api: StripeApi, delivery: WebhookDelivery, *, host: str, port: int
    ) -> None:
        self.engine = engine
        self.api = api
        self.delivery = delivery
        api.delivered = delivery.acknowledged
        api.endpoints = delivery.endpoints
        # Listening before the server runs: a client that comes early waits instead of being refused.
        self._socket = socket.create_server((host, port), backlog=2048)
        self.url = f"http://{host}:{self._socket.getsockname()[1]}"
        self._join(engine, "")
        app = Starlette(routes=[*api.routes(), *hosted_pages(engine)], lifespan=self._lifespan)
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=1)
        )
        self._ready = Signal()
        self._thread = Thread(
            target=self._server.run, args=([self._socket],), name="simulated-stripe", daemon=True
        )

    @property
    def api_key(self) -> str:
        """The secret key that clients must use."""
        return self.api.api_key

    @property
    def faults(self) -> Faults:
        """What shall go wrong with coming API requests."""
        return self.api.faults

    @property
    def requests(self) -> list[LoggedRequest]:
        """API requests so far, oldest first."""
        return self.api.requests

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
        """Send events from now on to a webhook address, in that API version; see `Endpoint`."""
        return self.delivery.add_endpoint(
            url, secret, api_version, enabled_events, thin=thin, account=account, connect=connect
        )

    def add_account(self, api_key: str, engine: BillingEngine) -> None:
        """Another account with a key of its own, by which its endpoints name it."""
        self.api.accounts.add(api_key, engine)
        self._join(engine, api_key)

    def connect(self, account: str, engine: BillingEngine) -> None:
        """Connect an account ("acct_...") to the main one, which is its platform then."""
        self.api.accounts.connect(account, engine)
        self._join(engine, account)

    def disconnect(self, account: str) -> None:
        """The account takes the platform's access back, and the platform hears of it."""
        engine = self.api.accounts.of(f"Bearer {self.api_key}", account).engine
        self.api.accounts.disconnect(account)
        with engine.ledger.lock:
            now = engine.ledger.now(None)
            platform = Application(id="ca_platform", created=now)
            engine.ledger.emit("account.application.deauthorized", platform, at=now)

    def _join(self, engine: BillingEngine, account: str) -> None:
        engine.ledger.listeners.append(partial(self.delivery.accept, account=account))
        engine.ledger.count_webhooks = partial(self.delivery.count, account=account)
        engine.ledger.hosted_base_url = self.url

    def start(self) -> None:
        """Serve; raises RuntimeError when that does not come about."""
        self._thread.start()
        if not self._ready.wait(PATIENCE):
            raise RuntimeError("the simulated Stripe did not start")

    def stop(self) -> None:
        """Stop serving and sending; raises RuntimeError when the thread does not end."""
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            raise RuntimeError("the simulated Stripe did not stop")

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        self.delivery.start()
        self._ready.set()
        try:
            yield
        finally:
            await self.delivery.stop()


@contextmanager
def simulated_stripe(
    *,
    engine: BillingEngine | None = None,
    seed: int = 0,
    now: datetime = START,
    policy: RetryPolicy | None = None,
    delivery: DeliveryPolicy | None = None,
    api_key: str = "sk_test_sandbox",
    default_version: str = NEW,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[SimulatedStripe]:
    """A running simulation; port 0 takes a free one.

    `now`, `seed` and `policy` make the engine when none is given; `default_version` renders API answers for
    requests without a `Stripe-Version` header.
    """
    billing = engine or BillingEngine(seed=seed, now=now, policy=policy)
    api = StripeApi(billing, api_key=api_key, default_version=default_version)
    simulation = SimulatedStripe(billing, api, WebhookDelivery(delivery), host=host, port=port)
    simulation.start()
    try:
        yield simulation
    finally:
        simulation.stop()
