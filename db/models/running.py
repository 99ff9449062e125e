"""The state of the machinery itself."""

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from db.models.base import metadata, moment

# Each time the breaker held mails and revocations back. The one row without `released_at` holds them now.
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
    # Calls are `alarms` now. The version before looks at these three while it runs beside this one.
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

# What the team is called about that is no customer's case. `subject` is the row it is about, in the table
# that `kind` says; `called` are the channels that took it, `due_at` is when the others are tried again. One
# that was withdrawn is not worth a call any more.
alarms = Table(
    "alarms",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", BigInteger, nullable=False),
    Column("facts", JSONB, nullable=False, server_default="{}"),
    moment("raised_at", nullable=False, server_default=text("clock_timestamp()")),
    Column("called", ARRAY(Text), nullable=False, server_default="{}"),
    moment("called_at"),
    moment("withdrawn_at"),
    moment("due_at", nullable=False, server_default=text("clock_timestamp()")),
    Index("alarms_due", "due_at", postgresql_where=text("called_at IS NULL AND withdrawn_at IS NULL")),
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
