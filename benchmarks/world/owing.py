"""Customers of another billing system whose renewal has just failed; nobody has to be asked about it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from db.intake import Row
from dunning.declines import Category
from emails.message import build_message
from emails.render import render
from emails.samples import BRAND, NOW, payment_failed
from sandbox.merchant import DOMAIN

SOURCE = "bench"
KIND = "subscription.payment_failed"
LOCALES = ("en", "de", "fr", "es", "pt", "ja")


def failures(count: int) -> list[Row]:
    """As many customers who must confirm a payment: they are told at once, by day and by night."""
    now = datetime.now(UTC)
    return [
        Row(
            SOURCE,
            event["id"],
            KIND,
            False,
            now,
            "pending",
            None,
            json.dumps(event).encode(),
        )
        for event in _events(count, now)
    ]


def _events(count: int, now: datetime) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "id": f"evt_{number}",
            "type": KIND,
            "createdAt": now.isoformat(),
            "data": {
                "subscriptionId": f"sub_{number}",
                "customerId": f"cus_{number}",
                "invoiceId": f"in_{number}",
                "invoiceNumber": f"B-{number:05}",
                "amount": 1900,
                "currency": "eur",
                "attempt": 1,
                "nextAttemptAt": (now + timedelta(days=3)).isoformat(),
                "error": "authentication_required",
                "plan": "Team plan",
                "interval": "month",
                "payUrl": f"https://pay.merchant.example/in_{number}",
                "card": {"brand": "visa", "last4": "4242"},
                "customer": {
                    "email": f"customer{number}@customer.example",
                    "name": "Maria Muster",
                    "locale": LOCALES[number % len(LOCALES)],
                },
            },
        }


def ready_made(count: int, recipient: str) -> Iterator[bytes]:
    """So many messages as such customers get them, in turns in all languages."""
    for number in range(count):
        locale = LOCALES[number % len(LOCALES)]
        mail = render(
            payment_failed(Category.AUTHENTICATION_REQUIRED),
            brand=BRAND,
            locale=locale,
            timezone=UTC,
            now=NOW,
        )
        yield build_message(
            mail,
            sender=f"Acme Billing <billing@{DOMAIN}>",
            recipient=recipient,
            reply_to=f"support@{DOMAIN}",
            key=f"payment_failed:in_{number}:1",
            domain=DOMAIN,
            thread_key=None,
            date=NOW,
        )
