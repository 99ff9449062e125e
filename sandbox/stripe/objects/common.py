"""Pieces that several objects share."""

from collections.abc import Sequence
from typing import Any

from sandbox.stripe.cards import Card
from sandbox.stripe.ids import derived

Json = dict[str, Any]

ACCOUNT_NAME = "Example Company"


def list_of(data: Sequence[Json], url: str) -> Json:
    """A complete sub-list."""
    return {
        "object": "list",
        "data": list(data),
        "has_more": False,
        "total_count": len(data),
        "url": url,
    }


def billing_details(name: str | None, email: str | None, country: str | None = None) -> Json:
    """Who stands behind a card or a charge."""
    return {
        "address": {
            "city": None,
            "country": country,
            "line1": None,
            "line2": None,
            "postal_code": None,
            "state": None,
        },
        "email": email,
        "name": name,
        "phone": None,
        "tax_id": None,
    }


def bank_account(account: Card) -> Json:
    """What is shown of an account that is debited: no brand, and nothing that expires."""
    return {
        "bank_code": derived(account.last4, "bank", 8),
        "branch_code": None,
        "country": account.country,
        "fingerprint": derived(account.type + account.last4, "fingerprint", 16),
        "last4": account.last4,
    }
