"""A case keeps the policy it was opened with; what segments look at."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Columns without a rewrite of their tables: each is empty or has a constant default."""
    op.add_column("cases", sa.Column("policy", postgresql.JSONB(), nullable=True))
    op.add_column("subscriptions", sa.Column("trial_end", sa.DateTime(timezone=True), nullable=True))
    op.add_column("customers", sa.Column("metadata", postgresql.JSONB(), server_default="{}", nullable=False))
