"""docs/privacy.md names every column that may say who a customer is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import BigInteger, Boolean, DateTime, Integer, Interval
from sqlalchemy.types import TypeEngine

from db.models import metadata
from settings.retention import Retention

PAGE = (Path(__file__).parent.parent / "docs" / "privacy.md").read_text(encoding="utf-8")
HOLDS_NO_WORDS = (BigInteger, Boolean, DateTime, Integer, Interval)

_SEEN = ("payment_method", "test_clock", "ref", "source")
# Ids, codes and levels, what the merchant has set up, and the state of the machinery.
NO_PERSON: Mapping[str, tuple[str, ...]] = {
    "access": ("level", "reason", "subscription"),
    "alarms": ("kind", "facts", "called"),
    "api_keys": ("digest", "label", "scopes"),
    "api_requests": ("name", "fingerprint"),
    "breaker": ("tripped_by", "reason", "released_by", "released_why", "called"),
    "cases": ("invoice", "subscription", "outcome", "taken_level", "taken_from", "policy", "test_clock"),
    "charges": ("ref", "invoice", "code", "decline_code", "outcome_reason", "advice_code", "method_type"),
    "customers": _SEEN,
    "deliveries": ("status", "error"),
    "differences": ("source", "customer", "kind", "ref", "differs", "status", "by"),
    "endpoints": ("url", "types", "about", "secret", "old_secret", "disabled_why"),
    "heartbeats": ("process", "kind", "info"),
    "imports": ("source", "state", "cursors", "counts"),
    "inbox": ("source", "event_id", "type", "status"),
    "instructions": ("case", "verb", "by"),
    "invoices": (
        "ref", "status", "subscription", "billing_reason", "collection_method", "number", "currency",
        "reason_code", "reason_decline_code", "reason_method_type",
    ),
    "journal": ("case", "kind"),
    "links": ("case",),
    "mail_results": ("kind", "by"),
    "methods": ("ref", "type", "brand", "country"),
    "outbox": ("case", "step", "kind", "name", "channel", "status", "reference", "trace"),
    "outgoing": ("message", "type", "body"),
    "reconciliations": ("source", "kind", "cursors", "counts", "totals", "last_error"),
    "restores": ("by",),
    "subscriptions": (
        "ref", "status", "plan", "product", "interval", "paused_for", "ended_for", "payment_method",
        "currency", "follows", "test_clock",
    ),
    "test_clocks": ("source", "ref"),
}  # fmt: skip


def _worded(kind: TypeEngine[object]) -> bool:
    return not isinstance(kind, HOLDS_NO_WORDS)


def test_every_column_that_may_hold_a_person_is_on_the_page() -> None:
    """A new column of text, JSON or bytes stands in the table, or in the list of those without a person."""
    columns = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.c
        if _worded(column.type)
    }
    named = set(re.findall(r"`(\w+\.\w+)`", PAGE)) & {
        f"{table.name}.{column.name}" for table in metadata.sorted_tables for column in table.c
    }
    without = {f"{table}.{name}" for table, names in NO_PERSON.items() for name in names}
    assert named & without == set()
    assert columns - named - without == set()
    assert (named | without) - columns == set()


def test_the_page_has_the_times_that_the_settings_have() -> None:
    """Each setting is named there."""
    for field in Retention.model_fields.values():
        assert f"`{field.validation_alias}`" in PAGE
