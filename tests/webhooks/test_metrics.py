"""What the receiver tells Prometheus, and where."""

import asyncio
import io

import httpx

from tests.webhooks.stripe_calls import event, signed
from webhooks.app import Receiver
from webhooks.config import ReceiverConfig
from webhooks.log import Log

METRICS, PUBLIC = 9400, 8080


def test_metrics_are_told_on_their_own_port_alone(config: ReceiverConfig) -> None:
    """On the port that faces the internet there is no such page, and nowhere where none is wanted."""
    receiver = Receiver(config, Log("json", "error", io.StringIO()))

    async def ask(port: int) -> httpx.Response:
        transport = httpx.ASGITransport(app=receiver)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://receiver:{port}") as client:
            await client.post("/webhooks/stripe", content=b"{}", headers=signed(event()))
            return await client.get("/metrics")

    assert asyncio.run(ask(METRICS)).status_code == 404
    receiver.metrics_port = METRICS
    assert asyncio.run(ask(PUBLIC)).status_code == 404
    told = asyncio.run(ask(METRICS))
    assert told.status_code == 200
    assert told.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = told.text.splitlines()
    assert 'dunning_process_info{kind="receiver"} 1' in lines
    assert 'dunning_webhooks_rejected_total{reason="signature.signature"} 3' in lines
    assert 'dunning_webhooks_total{outcome="accepted"} 0' in lines
    assert 'dunning_webhooks_heard_total{source="stripe"} 0' in lines
