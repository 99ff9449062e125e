"""The tables. Migrations in `db/migrations` create them; this is what statements are written against.

The mirror's columns carry the names of `dunning.account`'s fields. All times are timestamptz, UTC.
Nothing is ever deleted by an event: rows are settled, not removed.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()


def moment(name: str, **options: object) -> Column[object]:
    return Column(name, DateTime(timezone=True), **options)  # type: ignore[arg-type]  # options are Column's own


def owner() -> Column[int]:
    return Column("customer_id", BigInteger, ForeignKey("customers.id"), primary_key=True)


# A fact that arrived, exactly as it arrived. `due_at` is when the sweep looks at a pending row again.
inbox = Table(
    "inbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("livemode", Boolean, nullable=False),
    moment("created_at"),
    moment("received_at", nullable=False, server_default=text("clock_timestamp()")),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    moment("due_at", nullable=False, server_default=text("clock_timestamp() + interval '10 seconds'")),
    Column("last_error", Text),
    Column("payload", LargeBinary),
    UniqueConstraint("source", "event_id"),
    Index("inbox_due", "due_at", postgresql_where=text("status = 'pending'")),
)

customers = Table(
    "customers",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("ref", Text, nullable=False),
    moment("as_of"),
    moment("read_at"),
    Column("email", Text),
    Column("name", Text),
    Column("locales", ARRAY(Text), nullable=False, server_default="{}"),
    Column("country", Text),
    Column("metadata", JSONB, nullable=False, server_default="{}"),
    Column("payment_method", Text),
    Column("test_clock", Text),
    Column("deleted", Boolean, nullable=False, server_default="false"),
    moment("method_changed_at"),
    UniqueConstraint("source", "ref"),
    Index("customers_on_clocks", "id", postgresql_where=text("test_clock IS NOT NULL")),
)

test_clocks = Table(
    "test_clocks",
    metadata,
    Column("source", Text, primary_key=True),
    Column("ref", Text, primary_key=True),
    moment("reached", nullable=False),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    owner(),
    Column("ref", Text, primary_key=True),
    moment("as_of"),
    moment("read_at"),
    Column("status", Text, nullable=False),
    Column("plan", Text),
    Column("product", Text),
    Column("interval", Text),
    Column("cancel_at_period_end", Boolean, nullable=False, server_default="false"),
    moment("period_end"),
    moment("trial_end"),
    moment("ended_at"),
    Column("paused_for", Text),
    Column("ended_for", Text),
    Column("payment_method", Text),
    moment("last_paid_at"),
    moment("good_at"),
    moment("nonpayment_at"),
    Column("amount", BigInteger),
    Column("currency", Text),
    Column("follows", Text),
    # The next notice of an upcoming renewal, as `due_at` of a case is its next step.
    Column("test_clock", Text),
    moment("due_at"),
    moment("swept_at"),
    Index("subscriptions_due", "due_at", postgresql_where=text("due_at IS NOT NULL AND test_clock IS NULL")),
    Index(
        "subscriptions_due_by_clock",
        "test_clock",
        "due_at",
        postgresql_where=text("due_at IS NOT NULL AND test_clock IS NOT NULL"),
    ),
)

invoices = Table(
    "invoices",
    metadata,
    owner(),
    Column("ref", Text, primary_key=True),
    moment("as_of"),
    moment("read_at"),
    Column("status", Text, nullable=False),
    Column("subscription", Text),
    Column("billing_reason", Text),
    Column("collection_method", Text),
    Column("number", Text),
    Column("currency", Text, nullable=False),
    Column("amount_remaining", BigInteger, nullable=False),
    Column("amount_paid", BigInteger, nullable=False),
    moment("next_attempt_at"),
    moment("processing_since"),
    moment("paid_at"),
    moment("voided_at"),
    moment("written_off_at"),
    moment("failed_at"),
    moment("last_failed_at"),
    Column("attempt_count", Integer, nullable=False),
    Column("ledger_attempt", Integer, nullable=False),
    Column("counted", Integer, nullable=False, server_default="0"),
    moment("counted_at"),
    Column("action_required", Boolean, nullable=False),
    Column("reason_code", Text),
    Column("reason_decline_code", Text),
    Column("reason_method_type", Text),
    Column("no_method", Boolean, nullable=False),
    # Invoices that never failed are kept as tombstones, but rules never ask for them.
    Index("invoices_failed", "customer_id", postgresql_where=text("failed_at IS NOT NULL")),
)

charges = Table(
    "charges",
    metadata,
    owner(),
    Column("ref", Text, primary_key=True),
    Column("invoice", Text, nullable=False),
    moment("at", nullable=False),
    Column("code", Text),
    Column("decline_code", Text),
    Column("outcome_reason", Text),
    Column("advice_code", Text),
    Column("method_type", Text),
    Column("card_brand", Text),
    Column("card_last4", Text),
    Column("card_country", Text),
    # When we heard of it, by the database's clock: a surge is counted by that.
    moment("recorded_at", nullable=False, server_default=text("clock_timestamp()")),
    Index("charges_recorded", "recorded_at"),
)

methods = Table(
    "methods",
    metadata,
    owner(),
    Column("ref", Text, primary_key=True),
    moment("as_of"),
    moment("read_at"),
    Column("type", Text, nullable=False),
    Column("brand", Text),
    Column("last4", Text),
    Column("exp_month", Integer),
    Column("exp_year", Integer),
    Column("country", Text),
    Column("detached", Boolean, nullable=False),
)

# What people have told us to do with a customer or a case; never changed, only followed by another.
instructions = Table(
    "instructions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("customer_id", BigInteger, ForeignKey("customers.id"), nullable=False),
    Column("case", Text),
    Column("verb", Text, nullable=False),
    moment("at", nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
    moment("until"),
    Column("span", Interval),
    Column("to", Text),
    moment("recorded_at", nullable=False, server_default=text("clock_timestamp()")),
    Index("instructions_of_customer", "customer_id", "id"),
)

# Each time the breaker held mails and revocations back. The one row without `released_at` holds them now.
# The team is called about each: `called` are the channels that took it, `call_due_at` when it is tried again.
breaker = Table(
    "breaker",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    moment("tripped_at", nullable=False, server_default=text("clock_timestamp()")),
    Column("tripped_by", Text),
    Column("reason", Text, nullable=False),
    moment("released_at"),
    Column("released_by", Text),
    Column("released_why", Text),
    Column("called", ARRAY(Text), nullable=False, server_default="{}"),
    moment("called_at"),
    moment("call_due_at", nullable=False, server_default=text("clock_timestamp()")),
    Index(
        "breaker_tripped",
        text("(released_at IS NULL)"),
        unique=True,
        postgresql_where=text("released_at IS NULL"),
    ),
    Index("breaker_released", "released_at"),
)

# `due_at` is the case's only timer: the plan's next step, in the time the customer lives by. `swept_at`
# only keeps the scheduler from handing out the same case every second.
cases = Table(
    "cases",
    metadata,
    owner(),
    Column("invoice", Text, primary_key=True),
    Column("subscription", Text, nullable=False),
    moment("opened_at", nullable=False),
    Column("grace", Interval, nullable=False),
    moment("closed_at"),
    Column("outcome", Text),
    moment("taken_at"),
    Column("taken_level", Text),
    Column("taken_from", Text),
    moment("limited_at"),
    Column("policy", JSONB(none_as_null=True)),
    moment("moved_at"),
    Column("test_clock", Text),
    moment("due_at"),
    moment("swept_at"),
    Index("cases_due", "due_at", postgresql_where=text("due_at IS NOT NULL AND test_clock IS NULL")),
    Index("cases_due_by_clock", "test_clock", "due_at", postgresql_where=text("test_clock IS NOT NULL")),
)

access = Table(
    "access",
    metadata,
    owner(),
    Column("level", Text, nullable=False),
    Column("reason", Text, nullable=False),
    moment("until"),
    Column("subscription", Text),
    moment("changed_at", nullable=False),
    Index("access_given", "customer_id", postgresql_where=text("level <> 'revoked'")),
)

# An effect on the outside world: decided in the transaction that wrote the row, carried out after it.
# `due_at` and `lease_until` run on the database's clock, `created_at` and `accepted_at` on the account's.
outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("customer_id", BigInteger, ForeignKey("customers.id"), nullable=False),
    Column("case", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    moment("created_at", nullable=False),
    moment("due_at", nullable=False, server_default=text("clock_timestamp()")),
    moment("lease_until"),
    moment("handed_at"),
    moment("accepted_at"),
    Column("recipient", Text),
    Column("rendered", JSONB),
    Column("last_error", Text),
    UniqueConstraint("customer_id", "step", "channel"),
    Index("outbox_due", "due_at", postgresql_where=text("status IN ('pending', 'sending')")),
)

# A link to the page of one case. `digest` is the hash of the link's id: a stolen database opens no page.
links = Table(
    "links",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("customer_id", BigInteger, ForeignKey("customers.id"), nullable=False),
    Column("case", Text, nullable=False),
    moment("made_at", nullable=False),
    Column("made_by", Text, nullable=False),
    moment("revoked_at"),
    Column("plan", Text),
    Column("pay_url", Text),
    Column("locale", Text),
    Index("links_of_case", "customer_id", "case"),
)

# What was learned, decided and done, in order, for ever. `at` is the account's time.
journal = Table(
    "journal",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("customer_id", BigInteger, ForeignKey("customers.id"), nullable=False),
    Column("case", Text),
    moment("at", nullable=False),
    moment("recorded_at", nullable=False, server_default=text("clock_timestamp()")),
    Column("kind", Text, nullable=False),
    Column("reason", Text),
    Column("data", JSONB, nullable=False, server_default="{}"),
    Index("journal_of_customer", "customer_id", "id"),
    Index("journal_taken", "recorded_at", postgresql_where=text("kind = 'access.taken'")),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("process", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    moment("started_at", nullable=False, server_default=text("clock_timestamp()")),
    moment("beat_at", nullable=False, server_default=text("clock_timestamp()")),
    Column("info", JSONB, nullable=False, server_default="{}"),
)
