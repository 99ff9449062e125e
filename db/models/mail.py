"""What mail services have told us of mails that we sent."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, text

from db.models.base import metadata, moment

# One row a kind: the same thing told twice is one. `at` is the account's time, `by` the service.
mail_results = Table(
    "mail_results",
    metadata,
    Column("outbox_id", BigInteger, ForeignKey("outbox.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    moment("at", nullable=False),
    Column("by", Text, nullable=False),
    Column("details", Text),
    moment("recorded_at", nullable=False, server_default=text("clock_timestamp()")),
    Index("mail_results_details", "recorded_at", postgresql_where=text("details IS NOT NULL")),
)
