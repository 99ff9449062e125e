"""docs/webhooks.md shows events as they are, and a receiver that works."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from dunning.outgoing import EventType
from outbound.examples import examples
from outbound.signing import headers, new_secret

TEXT = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_catalogue_has_every_event_as_the_code_makes_it() -> None:
    """Whoever changes an event changes the page."""
    shown = [json.loads(block) for block in blocks("json")]
    assert shown == [json.loads(body) for body in examples().values()]
    assert {event["type"] for event in shown} == set(EventType)


def test_the_receiver_in_python_keeps_the_newest_access(monkeypatch: pytest.MonkeyPatch) -> None:
    """Genuine events alone; twice the same and an older one after a newer one change nothing."""
    secret = new_secret()
    monkeypatch.setenv("DUNNING_WEBHOOK_SECRET", secret)
    monkeypatch.setenv("STORE", ":memory:")
    [code] = blocks("python")
    page: dict[str, Any] = {}
    exec(code, page)  # noqa: S102  # our own page

    def event(sequence: int, access: bool) -> bytes:
        said = json.loads(examples()[EventType.ACCESS_CHANGED])
        said["data"] |= {"sequence": sequence, "access": access}
        return json.dumps(said).encode()

    async def send(body: bytes, signed_with: str = secret) -> int:
        signed = headers([signed_with], "msg_1", int(datetime.now(UTC).timestamp()), body)
        transport = httpx.ASGITransport(page["app"])
        async with httpx.AsyncClient(transport=transport, base_url="http://app.example") as client:
            return (await client.post("/hooks", content=body, headers=signed)).status_code

    def kept() -> list[tuple[str, int, int]]:
        return list(page["store"].execute("SELECT * FROM access"))

    assert asyncio.run(send(event(4, True))) == 204
    assert asyncio.run(send(event(6, False))) == 204
    assert asyncio.run(send(event(4, True))) == 204
    assert asyncio.run(send(event(9, True), new_secret())) == 401
    assert kept() == [("cus_123", 6, 0)]
    page["store"].close()
