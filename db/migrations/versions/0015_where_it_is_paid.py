"""Where an invoice is paid, and whose a subscription is, by the word of systems that only tell"""

import sqlalchemy as sa

from db.migrations import online

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Stripe is asked whenever a mail is written, so its invoices have none."""
    online.column("invoices", sa.Column("pay_url", sa.Text(), nullable=True))
    online.column("invoices", sa.Column("pay_url_at", sa.DateTime(timezone=True), nullable=True))
    online.index("subscriptions_ref", "subscriptions", ["ref"])
