"""What was due on an invoice, and what of its payments was given back"""

import sqlalchemy as sa

from db.migrations import online

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """What was due is what is paid and what is open; refunds of before are heard of with the next reading."""
    for name in ("amount_due", "amount_refunded"):
        online.column("invoices", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    online.rows(
        "UPDATE invoices SET amount_due = amount_paid + amount_remaining WHERE amount_due = 0"
        " AND amount_paid + amount_remaining <> 0 AND customer_id BETWEEN :first AND :last"
    )
