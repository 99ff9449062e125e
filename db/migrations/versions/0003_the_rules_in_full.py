"""Instructions, ways to pay, the breaker; upcoming renewals; revocation receipts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from db.migrations import online

revision = "0003"
down_revision = "0002"


def _moment(name: str, **options: object) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), **options)  # type: ignore[arg-type]  # Column's own


def upgrade() -> None:
    """Columns without a rewrite of their tables: each is empty or has a constant default when it is added."""
    _columns()
    _tables()
    _indexes()
    _renewals()


def _columns() -> None:
    online.column("customers", sa.Column("payment_method", sa.Text(), nullable=True))
    online.column("subscriptions", sa.Column("amount", sa.BigInteger(), nullable=True))
    online.column("subscriptions", sa.Column("currency", sa.Text(), nullable=True))
    online.column("subscriptions", sa.Column("test_clock", sa.Text(), nullable=True))
    online.column("subscriptions", _moment("due_at", nullable=True))
    online.column("subscriptions", _moment("swept_at", nullable=True))
    online.column("invoices", _moment("processing_since", nullable=True))
    online.column("charges", sa.Column("card_country", sa.Text(), nullable=True))
    # now() is constant for the statement, so the table is not rewritten; new rows get the clock. Rows of
    # before count as older than anything that is counted by it: they are no surge.
    long_ago = sa.text("now() - interval '30 days'")
    online.column("charges", _moment("recorded_at", nullable=False, server_default=long_ago))
    op.alter_column("charges", "recorded_at", server_default=sa.text("clock_timestamp()"))
    online.column("cases", sa.Column("taken_from", sa.Text(), nullable=True))
    online.column("cases", _moment("limited_at", nullable=True))


def _tables() -> None:
    clock = sa.text("clock_timestamp()")
    online.table(
        "methods",
        sa.Column("customer_id", sa.BigInteger(), sa.ForeignKey("customers.id"), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        _moment("as_of", nullable=True),
        _moment("read_at", nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=True),
        sa.Column("last4", sa.Text(), nullable=True),
        sa.Column("exp_month", sa.Integer(), nullable=True),
        sa.Column("exp_year", sa.Integer(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("detached", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "ref"),
    )
    online.table(
        "instructions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), sa.ForeignKey("customers.id"), nullable=False),
        sa.Column("case", sa.Text(), nullable=True),
        sa.Column("verb", sa.Text(), nullable=False),
        _moment("at", nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        _moment("until", nullable=True),
        sa.Column("span", sa.Interval(), nullable=True),
        sa.Column("to", sa.Text(), nullable=True),
        _moment("recorded_at", nullable=False, server_default=clock),
        sa.PrimaryKeyConstraint("id"),
    )
    online.table(
        "breaker",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        _moment("tripped_at", nullable=False, server_default=clock),
        sa.Column("tripped_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        _moment("released_at", nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("released_why", sa.Text(), nullable=True),
        sa.Column("called", ARRAY(sa.Text()), nullable=False, server_default="{}"),
        _moment("called_at", nullable=True),
        _moment("call_due_at", nullable=False, server_default=clock),
        sa.PrimaryKeyConstraint("id"),
    )


def _indexes() -> None:
    online.index("charges_recorded", "charges", ["recorded_at"])
    online.index(
        "customers_on_clocks", "customers", ["id"], postgresql_where=sa.text("test_clock IS NOT NULL")
    )
    online.index("access_given", "access", ["customer_id"], postgresql_where=sa.text("level <> 'revoked'"))
    online.index(
        "journal_taken", "journal", ["recorded_at"], postgresql_where=sa.text("kind = 'access.taken'")
    )
    online.index(
        "breaker_tripped",
        "breaker",
        [sa.text("(released_at IS NULL)")],
        unique=True,
        postgresql_where=sa.text("released_at IS NULL"),
    )
    online.index("breaker_released", "breaker", ["released_at"])
    online.index("instructions_of_customer", "instructions", ["customer_id", "id"])
    online.index(
        "subscriptions_due",
        "subscriptions",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL AND test_clock IS NULL"),
    )
    online.index(
        "subscriptions_due_by_clock",
        "subscriptions",
        ["test_clock", "due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL AND test_clock IS NOT NULL"),
    )


def _renewals() -> None:
    """Look once at each annual plan that is paid: its next notice may be due before any event comes."""
    online.rows("""
        UPDATE subscriptions SET due_at = now() FROM customers
        WHERE customers.id = subscriptions.customer_id AND customers.test_clock IS NULL
          AND subscriptions.interval = 'year' AND subscriptions.status IN ('active', 'trialing')
          AND subscriptions.period_end > now() AND subscriptions.due_at IS NULL
          AND subscriptions.customer_id BETWEEN :first AND :last
    """)
