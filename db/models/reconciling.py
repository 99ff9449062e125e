"""How what is known here is held against what the provider says, and a database that came from a backup."""

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from db.models.base import metadata, moment

# One row a source and `kind`: events, or comparison. `due_at` is when it is to be done next, `lease_until`
# the hold of the one process that does it, `fence` the number of that hold. While one is under way `begun_at`
# is set, `since` is how far back it looks, and `cursors` has the last object of each stage, null where that
# is through. `high_water`: nothing that was made before then is missing. All times are the database's.
reconciliations = Table(
    "reconciliations",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    moment("created_at", nullable=False, server_default=text("clock_timestamp()")),
    moment("due_at", nullable=False),
    Column("fence", Integer, nullable=False, server_default="0"),
    moment("lease_until"),
    moment("begun_at"),
    moment("since"),
    Column("cursors", JSONB, nullable=False, server_default="{}"),
    Column("counts", JSONB, nullable=False, server_default="{}"),
    Column("totals", JSONB, nullable=False, server_default="{}"),
    moment("high_water"),
    moment("succeeded_at"),
    moment("failed_at"),
    Column("last_error", Text),
    UniqueConstraint("source", "kind"),
)

# Where the provider says something else than we know. `differs` is by field what is here and what is there.
# `status`: found (looked at once more before anything is done), reported (a person has to look), repaired, or
# gone (it was news on its way, or somebody mended it). `told_at`: the team was called about it.
differences = Table(
    "differences",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("differs", JSONB, nullable=False),
    Column("status", Text, nullable=False, server_default="found"),
    Column("by", Text, nullable=False),
    moment("found_at", nullable=False, server_default=text("clock_timestamp()")),
    moment("seen_at", nullable=False, server_default=text("clock_timestamp()")),
    moment("settled_at"),
    moment("told_at"),
    Index(
        "differences_standing",
        "source",
        "kind",
        "ref",
        unique=True,
        postgresql_where=text("settled_at IS NULL"),
    ),
    Index("differences_settled", "settled_at", postgresql_where=text("settled_at IS NOT NULL")),
)

# Each time the database was brought back from a backup. What became due between `backup_taken_at` and
# `restored_at`, in wall-clock time, may have been done by what is lost. `sequence` is below every number that
# the application is told from then on.
restores = Table(
    "restores",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    moment("backup_taken_at", nullable=False),
    moment("restored_at", nullable=False),
    Column("by", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
)
