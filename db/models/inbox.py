"""Facts that arrived, exactly as they arrived."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from db.models.base import metadata, moment

# A fact that arrived, exactly as it arrived. `due_at` is when the sweep looks at a pending row again. Ids
# follow the order of arrival. Why it is one table without partitions: docs/scaling.md.
inbox = Table(
    "inbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("livemode", Boolean, nullable=False),
    moment("created_at"),
    moment("received_at", nullable=False, server_default=text("clock_timestamp()")),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    moment("due_at", nullable=False, server_default=text("clock_timestamp() + interval '10 seconds'")),
    Column("last_error", Text),
    Column("payload", LargeBinary),
    UniqueConstraint("source", "event_id"),
    Index("inbox_due", "due_at", postgresql_where=text("status = 'pending'")),
    # What was tried too often (`db.sweep.MOST_ATTEMPTS`) is found without reading all that waits.
    Index("inbox_poison", "due_at", postgresql_where=text("status = 'pending' AND attempts >= 5")),
    Index("inbox_dead", "id", postgresql_where=text("status = 'dead'")),
    Index("inbox_ignored", "received_at", postgresql_where=text("status = 'ignored'")),
    # By when it was applied: its content is kept for some days.
    Index(
        "inbox_payloads",
        "due_at",
        "id",
        postgresql_where=text("payload IS NOT NULL AND status NOT IN ('pending', 'dead')"),
    ),
)
