"""Where an invoice is paid, and whose a subscription is, by the word of systems that only tell"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Stripe is asked whenever a mail is written, so its invoices have none."""
    op.add_column("invoices", sa.Column("pay_url", sa.Text(), nullable=True))
    op.add_column("invoices", sa.Column("pay_url_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("subscriptions_ref", "subscriptions", ["ref"])
