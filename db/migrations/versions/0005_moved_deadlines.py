"""When a deadline moved, and when the provider's own last attempt failed"""

import sqlalchemy as sa

from db.migrations import online

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """What is not known of running cases stays empty: they are warned and counted as before."""
    online.column("cases", sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True))
    online.column("invoices", sa.Column("counted", sa.Integer(), nullable=False, server_default="0"))
    online.column("invoices", sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True))
