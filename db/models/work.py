"""What is to be done outside, and what was learned, decided and done."""

from sqlalchemy import (
    BigInteger,
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
from sqlalchemy.dialects.postgresql import JSONB

from db.models.base import metadata, moment

# An effect on the outside world: decided in the transaction that wrote the row, carried out after it.
# `due_at` and `lease_until` run on the database's clock, `created_at` and `accepted_at` on the account's.
outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("customer_id", BigInteger, ForeignKey("customers.id"), nullable=False),
    Column("case", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    moment("created_at", nullable=False),
    moment("due_at", nullable=False, server_default=text("clock_timestamp()")),
    moment("lease_until"),
    moment("handed_at"),
    moment("accepted_at"),
    Column("recipient", Text),
    Column("rendered", JSONB),
    Column("last_error", Text),
    # Our mark in the mail, by which its service speaks of it.
    Column("reference", Text),
    Column("trace", Text),
    UniqueConstraint("customer_id", "step", "channel"),
    Index("outbox_due", "due_at", postgresql_where=text("status IN ('pending', 'sending')")),
    Index(
        "outbox_rendered",
        "due_at",
        postgresql_where=text("rendered IS NOT NULL AND status NOT IN ('pending', 'sending')"),
    ),
    Index("outbox_reference", "reference", postgresql_where=text("reference IS NOT NULL")),
    Index("outbox_recipient", text("lower(recipient)"), postgresql_where=text("recipient IS NOT NULL")),
    Index("outbox_unsent", "status", postgresql_where=text("status IN ('unknown', 'failed')")),
)

# What was learned, decided and done, in order, for ever. `at` is the account's time.
journal = Table(
    "journal",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("customer_id", BigInteger, ForeignKey("customers.id"), nullable=False),
    Column("case", Text),
    moment("at", nullable=False),
    moment("recorded_at", nullable=False, server_default=text("clock_timestamp()")),
    Column("kind", Text, nullable=False),
    Column("reason", Text),
    Column("data", JSONB, nullable=False, server_default="{}"),
    Index("journal_of_customer", "customer_id", "id"),
    Index("journal_taken", "recorded_at", postgresql_where=text("kind = 'access.taken'")),
)
