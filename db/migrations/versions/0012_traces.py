"""Which trace an effect belongs to"""

import sqlalchemy as sa

from db.migrations import online

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """A column that stays empty where nobody traces."""
    online.column("outbox", sa.Column("trace", sa.Text(), nullable=True))
