"""What is held against the provider's own word, where the two differ, and when a backup was restored"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from db.migrations import online

revision = "0016"
down_revision = "0015"


def _moment(name: str, *, nullable: bool = True, now: bool = False) -> sa.Column[object]:
    default = sa.text("clock_timestamp()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def upgrade() -> None:
    """Three tables; schedulers make the rows of the first."""
    online.table(
        "reconciliations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        _moment("created_at", nullable=False, now=True),
        _moment("due_at", nullable=False),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        _moment("lease_until"),
        _moment("begun_at"),
        _moment("since"),
        sa.Column("cursors", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("counts", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("totals", postgresql.JSONB(), server_default="{}", nullable=False),
        _moment("high_water"),
        _moment("succeeded_at"),
        _moment("failed_at"),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.UniqueConstraint("source", "kind"),
    )
    online.table(
        "differences",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("differs", postgresql.JSONB(), nullable=False),
        sa.Column("status", sa.Text(), server_default="found", nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        _moment("found_at", nullable=False, now=True),
        _moment("seen_at", nullable=False, now=True),
        _moment("settled_at"),
        _moment("told_at"),
    )
    online.index(
        "differences_standing",
        "differences",
        ["source", "kind", "ref"],
        unique=True,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    online.index(
        "differences_settled",
        "differences",
        ["settled_at"],
        postgresql_where=sa.text("settled_at IS NOT NULL"),
    )
    online.table(
        "restores",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        _moment("backup_taken_at", nullable=False),
        _moment("restored_at", nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
    )
