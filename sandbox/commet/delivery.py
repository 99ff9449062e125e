"""Commet's webhooks: signed over the body alone, and three events in a row that fail end it.

The eight tries of one event, in about four hours (commet-sdk 9.7.0, docs: Webhooks), are made as one here.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx

# Of a body and its headers; the status of the answer, 0 where there is none.
Post = Callable[[bytes, dict[str, str]], int]
FAILURES_THAT_DISABLE = 3
# Seconds (docs: Webhooks, Retry policy).
TIMEOUT = 10.0


def post_to(url: str) -> Post:
    """By HTTP, to the receiver."""

    def post(body: bytes, headers: dict[str, str]) -> int:
        try:
            return httpx.post(
                url, content=body, headers=headers, timeout=TIMEOUT, trust_env=False
            ).status_code
        except httpx.HTTPError:
            return 0

    return post


class CommetEndpoint:
    """Where events go. While it is `disabled` they go nowhere, and are never sent again: `lost`."""

    def __init__(self, post: Post, secret: str) -> None:
        self.disabled = False
        self.lost: list[Mapping[str, Any]] = []
        self._post, self._secret, self._failures = post, secret, 0

    def deliver(self, event: Mapping[str, Any]) -> None:
        if self.disabled:
            self.lost.append(event)
            return
        body = json.dumps(event).encode()
        headers = {
            "content-type": "application/json",
            "x-commet-event": str(event["event"]),
            "x-commet-timestamp": str(event["timestamp"]),
            "x-commet-signature": hmac.new(self._secret.encode(), body, "sha256").hexdigest(),
        }
        if 200 <= self._post(body, headers) < 300:
            self._failures = 0
            return
        self.lost.append(event)
        self._failures += 1
        self.disabled = self._failures >= FAILURES_THAT_DISABLE

    def enable(self) -> None:
        """As somebody does in the dashboard."""
        self.disabled, self._failures = False, 0
