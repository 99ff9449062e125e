"""What is counted every few seconds is found without reading everything"""

import sqlalchemy as sa

from db.migrations import online

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Partial indexes of what is left over: few rows each, however many there are."""
    online.index("inbox_dead", "inbox", ["id"], postgresql_where=sa.text("status = 'dead'"))
    online.index(
        "outbox_unsent", "outbox", ["status"], postgresql_where=sa.text("status IN ('unknown', 'failed')")
    )
    online.index(
        "subscriptions_behind",
        "subscriptions",
        ["status", "customer_id"],
        postgresql_where=sa.text("status IN ('past_due', 'unpaid')"),
    )
