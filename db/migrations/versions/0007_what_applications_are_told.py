"""What the merchant's application is told, and calls to the team about anything but cases"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations import online

revision = "0007"
down_revision = "0006"

NOW = sa.text("clock_timestamp()")
NONE = "{}"


def _moment(name: str, *, now: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not now, server_default=NOW if now else None)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True)


def upgrade() -> None:
    """New tables; what the team has yet to be called about is copied to the one for that."""
    online.column(
        "customers", sa.Column("told", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
    )
    online.table(
        "endpoints",
        _id(),
        sa.Column("url", sa.Text(), nullable=False, unique=True),
        sa.Column("types", postgresql.ARRAY(sa.Text()), nullable=False, server_default=NONE),
        sa.Column("about", sa.Text(), nullable=True),
        sa.Column("from_settings", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        _moment("old_until"),
        _moment("created_at", now=True),
        _moment("disabled_at"),
        sa.Column("disabled_why", sa.Text(), nullable=True),
        _moment("failing_since"),
        _moment("busy_until"),
        _moment("swept_at"),
    )
    online.table(
        "outgoing",
        _id(),
        sa.Column("message", sa.Text(), nullable=False, unique=True),
        sa.Column("customer_id", sa.BigInteger(), sa.ForeignKey("customers.id"), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        _moment("created_at", now=True),
        sa.UniqueConstraint("customer_id", "sequence"),
    )
    online.index("outgoing_created", "outgoing", ["created_at"])
    online.table(
        "deliveries",
        _id(),
        sa.Column("event_id", sa.BigInteger(), sa.ForeignKey("outgoing.id"), nullable=False),
        sa.Column("endpoint_id", sa.BigInteger(), sa.ForeignKey("endpoints.id"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False, server_default="pending"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        _moment("due_at", now=True),
        _moment("tried_at"),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.UniqueConstraint("endpoint_id", "event_id"),
    )
    online.index(
        "deliveries_due",
        "deliveries",
        ["endpoint_id", "due_at"],
        postgresql_where=sa.text("status = 'pending'"),
    )
    _alarms()


def _alarms() -> None:
    online.table(
        "alarms",
        _id(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False, server_default=NONE),
        _moment("raised_at", now=True),
        sa.Column("called", postgresql.ARRAY(sa.Text()), nullable=False, server_default=NONE),
        _moment("called_at"),
        _moment("withdrawn_at"),
        _moment("due_at", now=True),
    )
    online.index(
        "alarms_due",
        "alarms",
        ["due_at"],
        postgresql_where=sa.text("called_at IS NULL AND withdrawn_at IS NULL"),
    )
    op.execute("""
        INSERT INTO alarms (kind, subject, facts, raised_at, called, called_at, withdrawn_at, due_at)
        SELECT 'breaker', id, jsonb_build_object('reason', reason, 'by', tripped_by), tripped_at, called,
               called_at, released_at, call_due_at
        FROM breaker
        WHERE NOT EXISTS (SELECT FROM alarms WHERE alarms.kind = 'breaker' AND alarms.subject = breaker.id)
        ORDER BY id
    """)
