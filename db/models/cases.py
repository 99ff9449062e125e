"""What we have made of it: cases, access, what people have told us, links to pages."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Interval,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from db.models.base import metadata, moment, owner

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
    moment("taken_over_at"),
    moment("first_contact_at"),
    Column("test_clock", Text),
    moment("due_at"),
    moment("swept_at"),
    Index("cases_due", "due_at", postgresql_where=text("due_at IS NOT NULL AND test_clock IS NULL")),
    Index("cases_due_by_clock", "test_clock", "due_at", postgresql_where=text("test_clock IS NOT NULL")),
    Index("cases_of_invoice", "invoice"),
    # The order in which the team's API lists them, page by page.
    Index("cases_opened", "opened_at", "customer_id", "invoice"),
    Index("cases_open", "opened_at", "customer_id", "invoice", postgresql_where=text("closed_at IS NULL")),
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
    Index("links_made", "made_at"),
)
