"""The way from an event to its mail, step by step: by the moments that the rows themselves keep.

Only when a mail was claimed is forgotten by its row, with the lease, so the database notes that beside it.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from statistics import median

from benchmarks.experiment import Figures
from benchmarks.house import House
from db.inbox import PATIENCE_PER_TRY

NOTE_CLAIMS = """
    CREATE UNLOGGED TABLE claims (effect bigint PRIMARY KEY, at timestamptz NOT NULL);
    CREATE FUNCTION note_claim() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO claims VALUES (NEW.id, clock_timestamp()) ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_claim AFTER UPDATE ON outbox FOR EACH ROW
    WHEN (OLD.status = 'pending' AND NEW.status = 'sending') EXECUTE FUNCTION note_claim();
"""
_MOMENTS = """
    SELECT customers.email, inbox.received_at, inbox.due_at - $1::interval AS taken_up,
           outbox.created_at, journal.recorded_at, claims.at AS claimed_at, outbox.handed_at
    FROM inbox
    JOIN journal ON journal.kind = 'event.applied' AND journal.data->>'event' = inbox.event_id
    JOIN customers ON customers.id = journal.customer_id
    JOIN outbox ON outbox.customer_id = customers.id AND outbox.kind = 'mail'
    JOIN claims ON claims.effect = outbox.id
    WHERE inbox.attempts = 1 AND outbox.attempts = 1
"""


@dataclass(frozen=True, slots=True)
class Way:
    """When each step of one event was done, in seconds of the clock that tells the date."""

    due: float
    received: float
    """Its row was being written: it is committed right after that."""
    taken_up: float
    asked: float
    """Stripe's answers are there."""
    decided: float
    """Facts, access, mail and journal were being written."""
    claimed: float
    handed: float
    """The mail is rendered and was being written down."""
    arrived: float


STEPS: Mapping[str, str] = {
    "received": "event sent, verified, row written",
    "taken_up": "commit, nudge, worker woken, row taken up",
    "asked": "commit, Stripe asked",
    "decided": "folded, planned, written",
    "claimed": "commit, nudge, mail worker woken, mail claimed",
    "handed": "commit, loaded, rendered, written down",
    "arrived": "commit, handed to the mail server",
}
"""What happens until each moment, from the one before it."""


def ways(house: House, database: str, due: Mapping[str, float], arrived: Mapping[str, float]) -> list[Way]:
    """Those of all customers whose event and mail were done at the first try, by their address.

    `due` and `arrived` are seconds of the monotonic clock.
    """
    shift = time.time() - time.monotonic()
    found = []
    for email, *moments in house.query(database, _MOMENTS, PATIENCE_PER_TRY):
        between = [moment.timestamp() for moment in moments]
        found.append(Way(*(due[email] + shift, *between, arrived[email] + shift)))
    return found


def figures(found: list[Way]) -> Figures:
    """The median of each step, and their sum: milliseconds."""
    moments = [field.name for field in fields(Way)]
    steps = {
        f"{name}_ms": 1000 * median(getattr(way, name) - getattr(way, before) for way in found)
        for before, name in pairwise(moments)
    }
    return {**steps, "sum_ms": sum(steps.values())}
