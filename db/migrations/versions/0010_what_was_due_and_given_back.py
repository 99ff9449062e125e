"""What was due on an invoice, and what of its payments was given back"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """What was due is what is paid and what is open; refunds of before are heard of with the next reading."""
    for name in ("amount_due", "amount_refunded"):
        op.add_column("invoices", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE invoices SET amount_due = amount_paid + amount_remaining")
