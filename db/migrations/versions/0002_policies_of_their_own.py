"""A case keeps the policy it was opened with; what segments look at."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from db.migrations import online

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Columns without a rewrite of their tables: each is empty or has a constant default."""
    online.column("cases", sa.Column("policy", postgresql.JSONB(), nullable=True))
    online.column("subscriptions", sa.Column("trial_end", sa.DateTime(timezone=True), nullable=True))
    online.column("customers", sa.Column("metadata", postgresql.JSONB(), server_default="{}", nullable=False))
