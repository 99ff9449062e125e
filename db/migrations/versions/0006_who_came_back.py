"""Which ended subscription another one was bought in place of"""

import sqlalchemy as sa

from db.migrations import online

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """A column that is empty for all that exist."""
    online.column("subscriptions", sa.Column("follows", sa.Text(), nullable=True))
