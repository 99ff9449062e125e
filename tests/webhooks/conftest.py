"""A running receiver, and a look into its inbox."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import pytest

from settings.urls import for_asyncpg
from tests.roles import as_role
from tests.webhooks.process import ReceiverProcess
from tests.webhooks.stripe_calls import SECRET
from webhooks.config import ReceiverConfig

Query = Callable[..., list[dict[str, Any]]]
StartReceiver = Callable[[ReceiverConfig], ReceiverProcess]


@pytest.fixture
def dsn(database_url: str) -> str:
    """The test's database as asyncpg takes it."""
    return for_asyncpg(database_url)


@pytest.fixture
def config(database_url: str, redis_url: str) -> ReceiverConfig:
    """A receiver in test mode, on any free port, with no more rights than it needs."""
    return ReceiverConfig(
        database_dsn=for_asyncpg(as_role(database_url, "receiver")),
        queue_url=redis_url,
        secrets={"STRIPE_WEBHOOK_SECRETS": ("whsec_test_older", SECRET)},
        livemode=False,
        host="127.0.0.1",
        port=0,
        log_format="json",
    )


@pytest.fixture
def start_receiver() -> Iterator[StartReceiver]:
    """Start receivers that are stopped with the test."""
    started: list[ReceiverProcess] = []

    def start(config: ReceiverConfig) -> ReceiverProcess:
        started.append(ReceiverProcess.serve(config))
        return started[-1]

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def receiver(start_receiver: StartReceiver, config: ReceiverConfig) -> ReceiverProcess:
    """A running receiver."""
    return start_receiver(config)


@pytest.fixture
def query(dsn: str) -> Query:
    """Run one statement on the test's database; the rows as dicts."""

    async def run(statement: str, *values: object) -> list[dict[str, Any]]:
        connection = await asyncpg.connect(dsn)
        try:
            return [dict(row) for row in await connection.fetch(statement, *values)]
        finally:
            await connection.close()

    return lambda statement, *values: asyncio.run(run(statement, *values))


def event_ids(query: Query) -> set[str]:
    """What is in the inbox."""
    return {row["event_id"] for row in query("SELECT event_id FROM inbox")}
