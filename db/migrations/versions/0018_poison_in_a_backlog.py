"""Events that were tried too often are found by an index, however many others wait"""

import sqlalchemy as sa

from db.migrations import online

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """It holds next to nothing; to build it, the table is read once."""
    online.index(
        "inbox_poison",
        "inbox",
        ["due_at"],
        postgresql_where=sa.text("status = 'pending' AND attempts >= 5"),
    )
