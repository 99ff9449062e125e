"""Events of the neutral format, as a billing system sends them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 6, 1, 0, 0, 18, tzinfo=UTC)


def moment(days: float = 0) -> str:
    """So many days after the first failure."""
    return (START + timedelta(days=days)).isoformat()


def event(kind: str = "payment_failed", days: float = 0, **data: Any) -> dict[str, Any]:
    """An event of a day; its id follows from what it is."""
    name = kind if "." in kind else f"subscription.{kind}"
    return {
        "id": f"evt_{kind}_{days:g}_{data.get('attempt', '')}",
        "type": name,
        "createdAt": moment(days),
        "accountId": "acc_01HX",
        "data": {"subscriptionId": "sub_1"} | data,
    }


def failed(attempt: int = 1, days: float = 0, error: str | None = "insufficient_funds", **data: Any) -> Any:
    return event("payment_failed", days, attempt=attempt, error=error, **data)


# Word for word the payload that the format comes from, but for its ids.
ORIGIN: dict[str, Any] = {
    "id": "evt_01HX",
    "type": "subscription.payment_failed",
    "createdAt": "2026-06-01T00:00:18Z",
    "accountId": "acc_01HX",
    "data": {"subscriptionId": "sub_01HX", "attempt": 1, "error": "insufficient_funds"},
}
