"""How far an import has come, and which customers and cases were there before us"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from db.migrations import online

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """A table, and columns that are empty for all that exist: they began with us."""
    at = sa.DateTime(timezone=True)
    online.table(
        "imports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="running"),
        sa.Column("started_at", at, nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.Column("beat_at", at, nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.Column("finished_at", at, nullable=True),
        sa.Column("cursors", postgresql.JSONB(), nullable=False, server_default="{}"),
        sa.Column("counts", postgresql.JSONB(), nullable=False, server_default="{}"),
    )
    online.index(
        "imports_running",
        "imports",
        ["source"],
        unique=True,
        postgresql_where=sa.text("state = 'running'"),
    )
    online.column("customers", sa.Column("first_contact_at", at, nullable=True))
    online.column("cases", sa.Column("taken_over_at", at, nullable=True))
    online.column("cases", sa.Column("first_contact_at", at, nullable=True))
