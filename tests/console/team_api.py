"""The API in the test's own process, with keys of every kind."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, TypeVar

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from console.app import create_app
from console.keyring import Keyring
from console.scopes import Scope
from console.store import Store
from console.team.operations import team_operations
from console.team.services import Team
from db import api_keys
from db.session import create_engine
from dunning.policy import Policy
from settings.urls import for_asyncpg, for_sqlalchemy
from tests.roles import as_role

T = TypeVar("T")

ENV_KEY = "test-key-0123456789abcdef"
# A reason that stands for any.
WHY = {"reason": "they asked for it", "by": "maria"}
SESSIONS = 8


class TeamApi:
    """A running application, asked from any thread; `key` opens everything."""

    def __init__(self, app: Starlette, engine: AsyncEngine, portal: BlockingPortal) -> None:
        self.app, self.engine, self._portal = app, engine, portal
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.example")
        self._names = (f"request-{number}" for number in count())
        self.key = self.new_key(*Scope)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """As httpx does, with a key unless there are headers. What the application raises is raised."""
        options.setdefault("headers", {"authorization": f"Bearer {self.key}"})
        return self.run(partial(self._client.request, method, path, **options))

    def new_key(self, *scopes: str, label: str = "support desk", lasts: timedelta | None = None) -> str:
        """The secret of a key that has just been made."""
        secret = f"dk_{secrets.token_urlsafe(24)}"

        async def add() -> None:
            async with self.engine.begin() as connection:
                digest = api_keys.digest_of(secret.encode())
                await api_keys.add(connection, digest, label, scopes, lasts)

        self.run(add)
        return secret

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something on the application's own event loop."""
        return self._portal.call(work)

    def get(self, path: str, *, key: str | None = None, **headers: str) -> httpx.Response:
        """Ask; header names are given with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("GET", path, headers={"authorization": f"Bearer {key or self.key}", **named})

    def act(
        self,
        invoice: str,
        action: str,
        *,
        name: str | None = None,
        key: str | None = None,
        **said: Any,
    ) -> httpx.Response:
        """Decide about a case, under a new name unless one is given."""
        return self.ask(
            "POST",
            f"/v1/cases/{invoice}/{action}",
            json=WHY | said,
            headers={
                "authorization": f"Bearer {key or self.key}",
                "idempotency-key": name or next(self._names),
            },
        )


@contextmanager
def team_api(
    database_url: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Iterator[TeamApi]:
    """The API on this database, with no more than its rights. Faults of its own are the test's."""
    url = as_role(database_url, "api")
    store = Store(for_asyncpg(url))
    engine = create_engine(for_sqlalchemy(url), name="api", pool_size=SESSIONS)
    owner = create_engine(for_sqlalchemy(database_url), name="test", pool_size=1)
    team = Team(engine, Policy(), UTC, clock)
    # Each look at the time is some minutes later: a key counts as soon as it is made or revoked.
    keyring = Keyring([ENV_KEY], store.good_keys, team.use_key, monotonic=count(0, 100).__next__)
    app = create_app(store, keyring, team_operations(team), closing=engine.dispose)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(app.router.lifespan_context(app)),
    ):
        yield TeamApi(app, owner, portal)
        portal.call(owner.dispose)
