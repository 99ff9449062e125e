"""What single processes tell of themselves."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import dramatiq
import httpx
import pytest
import structlog
from dramatiq.brokers.stub import StubBroker
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router

from metrics import families
from metrics.listener import listen
from metrics.messages import Measuring
from metrics.requests import Measured
from metrics.text import exposition
from providers.lookup import ProviderUnavailableError
from providers.stripe.client import StripeApi
from tests.scenarios.story import subscriber
from tests.scenarios.world import World


def value(name: str, **labels: str) -> float:
    """A sample of this process, 0 while there is none."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def scraped(text: str) -> dict[str, float]:
    """What a page of metrics says, by name and labels."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_receivers_own_writer_is_read_by_the_library() -> None:
    """Labels with every character that has to be escaped; a family without a sample is only declared."""
    written = exposition(
        {
            families.WEBHOOKS_REJECTED: {'a "quoted" \\ reason\nof two lines': 3},
            families.COMMITS: {"": 7},
            families.WEBHOOKS_UNAVAILABLE: {},
        }
    )
    assert scraped(written) == {
        'dunning_webhooks_rejected_total a "quoted" \\ reason\nof two lines': 3,
        "dunning_webhook_commits_total": 7,
    }
    assert "# TYPE dunning_webhooks_unavailable_total counter" in written


def test_a_process_tells_what_it_is_on_a_port_of_its_own() -> None:
    """Any free port with 0, which the log names."""
    with structlog.testing.capture_logs() as said:
        listen("portal", ("127.0.0.1", 0))
    [started] = said
    assert started["event"] == "metrics.started"
    page = httpx.get(f"http://127.0.0.1:{started['port']}/metrics", trust_env=False)
    assert scraped(page.text)["dunning_process_info portal"] == 1


def test_a_port_that_is_taken_stops_nobody() -> None:
    """It is an error in the log; and without an address nothing is said at all."""
    with socket.create_server(("127.0.0.1", 0)) as taken, structlog.testing.capture_logs() as said:
        listen("worker", taken.getsockname()[:2])
        listen("worker", None)
    assert [line["event"] for line in said] == ["metrics.cannot_listen"]


def test_answers_are_counted_by_who_gave_them_and_not_by_path() -> None:
    """Ids in a path never become a label, nor do paths that somebody makes up; a fault counts as 5xx."""

    async def access(request: Request) -> Response:
        if request.path_params["customer"] == "cus_broken":
            raise ZeroDivisionError
        return Response("ok")

    v1 = Router([Route("/access/{customer}", access)])
    app = Measured(Starlette(routes=[Mount("/v1", app=v1)]))

    async def visit() -> None:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            for path in ("/v1/access/cus_1", "/v1/access/cus_2", "/v1/access/cus_broken", "/etc/passwd"):
                await client.get(path)

    def counted(endpoint: str, status: str) -> float:
        return value("dunning_http_request_seconds_count", endpoint=endpoint, status=status)

    before = counted("access", "2xx"), counted("access", "5xx"), counted("none", "4xx")
    asyncio.run(visit())
    after = counted("access", "2xx"), counted("access", "5xx"), counted("none", "4xx")
    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 1, 1]


def test_messages_are_counted_by_queue_and_end() -> None:
    """Those that were done, and those that failed."""
    broker = StubBroker(middleware=[Measuring()])
    broker.emit_after("process_boot")

    def work(fail: bool) -> None:
        if fail:
            raise ValueError

    actor = dramatiq.actor(broker=broker, actor_name="work", queue_name="measured")(work)
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=10)
    worker.start()
    try:
        for fail in (False, False, True):
            actor.send(fail)
        broker.join("measured", timeout=10_000, fail_fast=False)
        worker.join()
    finally:
        worker.stop()
    assert value("dunning_queue_messages_total", queue="measured", outcome="done") == 2
    assert value("dunning_queue_messages_total", queue="measured", outcome="failed") == 1
    assert value("dunning_queue_message_seconds_count", queue="measured") == 3


def test_stripe_and_the_mail_server_are_measured(world: World) -> None:
    """A failed payment that is told: Stripe answered, and a mail was accepted."""
    names: list[tuple[str, dict[str, str]]] = [
        ("dunning_stripe_request_seconds_count", {"outcome": "answered"}),
        ("dunning_delivery_seconds_count", {"channel": "mail", "outcome": "accepted"}),
    ]
    before = [value(name, **labels) for name, labels in names]
    subscriber(world, "insufficient_funds").until(1)
    after = [value(name, **labels) for name, labels in names]
    assert after[0] > before[0]
    assert after[1] == before[1] + 1


@pytest.mark.parametrize(
    ("invoice", "outcome"), [("in_unknown", "missing"), ("", "failed")], ids=["missing", "away"]
)
def test_what_stripe_does_not_answer_is_told_by_kind(world: World, invoice: str, outcome: str) -> None:
    """A 404 is an answer; a Stripe that is away is an error of the library's class."""
    base = world.stripe.url if invoice else "http://127.0.0.1:1"
    before = value("dunning_stripe_request_seconds_count", outcome=outcome)
    errors = value("dunning_stripe_errors_total", kind="APIConnectionError")

    async def ask() -> Any:
        api = StripeApi(world.stripe.api_key, api_base=base, timeout=2)
        try:
            return await api.ask(api.v1.invoices.retrieve_async(invoice or "in_1"))
        except ProviderUnavailableError as error:
            return str(error)

    told = world.run(ask())
    assert told == (None if invoice else "APIConnectionError")
    assert value("dunning_stripe_request_seconds_count", outcome=outcome) == before + 1
    more = value("dunning_stripe_errors_total", kind="APIConnectionError") - errors
    assert more == (0 if invoice else 1)
