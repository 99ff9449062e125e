"""Tables that grow are cleaned up in small steps, and events that were ignored are found by an index"""

import sqlalchemy as sa

from db.migrations import online

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """By itself PostgreSQL waits until a fifth of a table is of no use: of a large one, days of work."""
    online.settings(
        "inbox",
        autovacuum_vacuum_scale_factor="0.02",
        autovacuum_analyze_scale_factor="0.02",
        **{"toast.autovacuum_vacuum_scale_factor": "0.02"},
    )
    online.settings("outbox", autovacuum_vacuum_scale_factor="0.02", autovacuum_analyze_scale_factor="0.02")
    online.index("inbox_ignored", "inbox", ["received_at"], postgresql_where=sa.text("status = 'ignored'"))
