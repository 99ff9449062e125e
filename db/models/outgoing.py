"""What the merchant's own application is told, where, and how far that is."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db.models.base import metadata, moment

# Where events are sent. `secret` signs, so it is kept as it is; `old_secret` signs as well until `old_until`.
# No `types` are all. `busy_until` is the lease of the one worker who sends there.
# All times are the database's.
endpoints = Table(
    "endpoints",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("url", Text, nullable=False, unique=True),
    Column("types", ARRAY(Text), nullable=False, server_default="{}"),
    Column("about", Text),
    Column("from_settings", Boolean, nullable=False, server_default="false"),
    Column("secret", Text, nullable=False),
    Column("old_secret", Text),
    moment("old_until"),
    moment("created_at", nullable=False, server_default=text("clock_timestamp()")),
    moment("disabled_at"),
    Column("disabled_why", Text),
    moment("failing_since"),
    moment("busy_until"),
    moment("swept_at"),
)

# What happened, as it is told: `body` is the text that is signed. Written with the journal entry it says.
outgoing = Table(
    "outgoing",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("message", Text, nullable=False, unique=True),
    Column("customer_id", BigInteger, ForeignKey("customers.id"), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", Text, nullable=False),
    moment("created_at", nullable=False, server_default=text("clock_timestamp()")),
    UniqueConstraint("customer_id", "sequence"),
    Index("outgoing_created", "created_at"),
)

# One event for one endpoint. `attempts` is the fence of whoever tries, and `due_at` their lease meanwhile.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", BigInteger, ForeignKey("outgoing.id"), nullable=False),
    Column("endpoint_id", BigInteger, ForeignKey("endpoints.id"), nullable=False),
    Column("status", Text, nullable=False, server_default="pending"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    moment("due_at", nullable=False, server_default=text("clock_timestamp()")),
    moment("tried_at"),
    Column("code", Integer),
    Column("error", Text),
    UniqueConstraint("endpoint_id", "event_id"),
    Index("deliveries_of_event", "event_id"),
    Index("deliveries_due", "endpoint_id", "due_at", postgresql_where=text("status = 'pending'")),
)
