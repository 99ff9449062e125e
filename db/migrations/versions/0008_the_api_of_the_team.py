"""Keys of the team's API, its answers, and how it finds cases"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from db.migrations import online

revision = "0008"
down_revision = "0007"

NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    """Two tables and three indexes."""
    online.table(
        "api_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    online.table(
        "api_requests",
        sa.Column("key_id", sa.BigInteger(), sa.ForeignKey("api_keys.id"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("key_id", "name"),
    )
    online.index("api_requests_made", "api_requests", ["made_at"])
    online.index("cases_of_invoice", "cases", ["invoice"])
    online.index("cases_opened", "cases", ["opened_at", "customer_id", "invoice"])
    online.index(
        "cases_open",
        "cases",
        ["opened_at", "customer_id", "invoice"],
        postgresql_where=sa.text("closed_at IS NULL"),
    )
