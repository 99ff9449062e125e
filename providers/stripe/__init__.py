"""Stripe: its webhooks, its API, its objects as facts."""

from typing import Final

SOURCE: Final = "stripe"
