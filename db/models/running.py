"""The state of the machinery itself."""

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from db.models.base import metadata, moment

# Each time the breaker held mails and revocations back. The one row without `released_at` holds them now.
# The team is called about each: `called` are the channels that took it, `call_due_at` when it is tried again.
breaker = Table(
    "breaker",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    moment("tripped_at", nullable=False, server_default=text("clock_timestamp()")),
    Column("tripped_by", Text),
    Column("reason", Text, nullable=False),
    moment("released_at"),
    Column("released_by", Text),
    Column("released_why", Text),
    Column("called", ARRAY(Text), nullable=False, server_default="{}"),
    moment("called_at"),
    moment("call_due_at", nullable=False, server_default=text("clock_timestamp()")),
    Index(
        "breaker_tripped",
        text("(released_at IS NULL)"),
        unique=True,
        postgresql_where=text("released_at IS NULL"),
    ),
    Index("breaker_released", "released_at"),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("process", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    moment("started_at", nullable=False, server_default=text("clock_timestamp()")),
    moment("beat_at", nullable=False, server_default=text("clock_timestamp()")),
    Column("info", JSONB, nullable=False, server_default="{}"),
)
