"""The simulated Commet tells as Commet does: signed, and not any more after three events that failed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from providers import hex_signature
from providers.commet.facts import HANDLERS, normalise
from sandbox.commet import CommetBooks, CommetEndpoint

START = datetime(2026, 6, 1, 9, tzinfo=UTC)


def test_three_failures_in_a_row_disable_it_and_nothing_is_sent_again() -> None:
    """One success between them counts anew; what came meanwhile is lost."""
    answers = iter([503, 0, 200, 500, 400, 404, 200])
    heard: list[bytes] = []

    def post(body: bytes, headers: dict[str, str]) -> int:
        hex_signature.verify(headers["x-commet-signature"].encode(), body, [b"whsec_test"])
        heard.append(body)
        return next(answers)

    endpoint = CommetEndpoint(post, "whsec_test")
    for number in range(8):
        endpoint.deliver({"event": "customer.updated", "timestamp": "now", "number": number})
    assert (endpoint.disabled, len(heard)) == (True, 6)
    assert [each["number"] for each in endpoint.lost] == [0, 1, 3, 4, 5, 6, 7]
    endpoint.enable()
    endpoint.deliver({"event": "customer.updated", "timestamp": "now", "number": 8})
    assert json.loads(heard[-1])["number"] == 8


def test_everything_it_tells_can_be_read() -> None:
    """A whole life: bought, renewed, declined, retried, given up, back again."""
    told: list[dict[str, object]] = []
    books = CommetBooks(START, told.append)
    of = books.subscribe("grace@customer.example", "user_123")
    for deed, *given in (
        ("renew",), ("renew", "card_declined"), ("try_by_hand", "card_declined"), ("pay",),
        ("renew", "card_declined"), *([("retry", "card_declined")] * 4), ("reactivate",), ("cancel", "Bye"),
    ):  # fmt: skip
        books.now += timedelta(days=1)
        getattr(books, deed)(of, *given)
    kinds = {str(event["event"]) for event in told}
    assert kinds <= HANDLERS.keys()
    assert {"payment.retry_failed", "subscription.reactivated", "payment.recovered"} <= kinds
    assert all(normalise(event).facts for event in told if "created" not in str(event["event"]))
