"""What mail services tell of mails, and by what mark a mail is found again"""

import sqlalchemy as sa

from db.migrations import online

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """A table of its own; mails that were sent before have no mark."""
    online.table(
        "mail_results",
        sa.Column("outbox_id", sa.BigInteger(), sa.ForeignKey("outbox.id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("outbox_id", "kind"),
    )
    online.column("outbox", sa.Column("reference", sa.Text(), nullable=True))
    online.index(
        "outbox_reference", "outbox", ["reference"], postgresql_where=sa.text("reference IS NOT NULL")
    )
    online.index(
        "outbox_recipient",
        "outbox",
        [sa.text("lower(recipient)")],
        postgresql_where=sa.text("recipient IS NOT NULL"),
    )
