"""Which trace an effect belongs to"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """A column that stays empty where nobody traces."""
    op.add_column("outbox", sa.Column("trace", sa.Text(), nullable=True))
