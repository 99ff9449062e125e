"""The generated month: rows of events that were applied in its thirty days, and events as they come in."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

from benchmarks.world.accounts import FAILED, UPDATED, bodies, failing_renewals
from db.intake import Row

DAYS = 30
KINDS = 500  # payloads that differ; the rows of a month take turns
EVENTS_PER_CUSTOMER = 10
EVENTS_PER_MAIL = 5
AT_ONCE = 50_000  # rows a statement

_ID = re.compile(r'"[a-z]{2,6}_[A-Za-z0-9]{6,}"')

# As Stripe's ids: the later the event, the later the id.
IN_ORDER = "'evt_1' || lpad(to_hex(n), 8, '0') || substr(md5(n::text), 1, 15)"
# As the ids of systems that take UUIDs: anywhere in the index.
AT_RANDOM = "'evt_' || substr(md5(n::text), 1, 24)"

_AT = "now() - make_interval(secs => 86400.0 * {days} * (1 - n / {count}.0))"
_MONTH = f"(SELECT n, {_AT} AS at FROM generate_series($1::bigint, $2::bigint) n) of_month"  # noqa: S608  # our words
_PAYLOADS = "(SELECT n AS kind, payload FROM pool) pool ON kind = n % {kinds}"

values = attrgetter(*(field.name for field in fields(Row)))

# Each payload as PostgreSQL has compressed it: a copy takes that over as it is, and takes no time for it.
POOL = """
    CREATE TABLE pool (n bigint PRIMARY KEY, payload bytea);
    ALTER TABLE pool SET (toast_tuple_target = 8160)
"""
CUSTOMERS = """
    INSERT INTO customers (source, ref)
    SELECT 'stripe', 'cus_' || n FROM generate_series($1::bigint, $2::bigint) n
"""
INBOX = f"""
    INSERT INTO inbox (source, event_id, type, livemode, created_at, received_at, status, attempts, due_at,
                       payload)
    SELECT 'stripe', {{ids}}, 'invoice.payment_failed', true, at, at, 'done', 1, at, payload
    FROM {_MONTH} JOIN {_PAYLOADS} ORDER BY n
"""  # noqa: S608  # of our own words
KEYS = f"""
    INSERT INTO inbox (source, event_id, type, livemode, created_at, received_at, status, attempts, due_at)
    SELECT 'stripe', {{ids}}, 'invoice.payment_failed', true, at, at, 'done', 1, at FROM {_MONTH} ORDER BY n
"""  # noqa: S608  # of our own words
PAYLOADS = f"""
    INSERT INTO inbox_bodies (inbox_id, received_at, payload)
    SELECT {{first}} + n, at, payload FROM {_MONTH} JOIN {_PAYLOADS} ORDER BY n
"""  # noqa: S608  # of our own words
JOURNAL = f"""
    INSERT INTO journal (customer_id, at, recorded_at, kind, reason, data)
    SELECT 1 + n * 7919 % {{customers}}, at, at, 'event.applied', 'invoice.payment_failed',
           jsonb_build_object('event', {{ids}})
    FROM {_MONTH} ORDER BY n
"""  # noqa: S608  # of our own words
OUTBOX = f"""
    INSERT INTO outbox (customer_id, "case", step, kind, name, channel, reason, status, created_at, due_at,
                        handed_at, accepted_at, recipient)
    SELECT 1 + n * 7919 % {{customers}}, 'in_1' || n, 'payment_failed:in_1' || n, 'mail', 'payment_failed',
           'mail', 'charge 1 failed: insufficient_funds', 'sent', at, at, at, at, n || '@customer.example'
    FROM {_MONTH} WHERE n % {{mails}} = 0 ORDER BY n
"""  # noqa: S608  # of our own words


async def fill(
    connection: Any, statements: Mapping[str, str], count: int, progress: Callable[[str, int], None]
) -> None:
    """Run each statement over the numbers 1 to `count`, some at a time; `progress` hears how far it is."""
    for name, statement in statements.items():
        for first in range(1, count + 1, AT_ONCE):
            await connection.execute(statement, first, min(first + AT_ONCE - 1, count), timeout=None)
            progress(name, first)


def payloads() -> list[bytes]:
    """As Stripe sends them, of some 4 KB, each with ids of its own: failed payments and subscriptions."""
    engine = failing_renewals(1)
    templates = [bodies(engine, FAILED)[0], bodies(engine, UPDATED)[0]]
    return [_with_others(templates[number % len(templates)]) for number in range(KINDS)]


def _with_others(template: str) -> bytes:
    for each in set(_ID.findall(template)):
        prefix = each.partition("_")[0]
        template = template.replace(each, f'{prefix}_{secrets.token_hex(12)}"')
    return template.encode()


def arriving(kinds: list[bytes], *, at_random: bool) -> Iterator[Row]:
    """Events that come in now, for ever."""
    number = 0
    while True:
        number += 1
        tail = secrets.token_hex(12)
        event_id = f"evt_{tail}" if at_random else f"evt_2{number:08x}{tail[:15]}"
        payload = kinds[number % len(kinds)]
        yield Row("stripe", event_id, "invoice.payment_failed", True, None, "pending", None, payload)
