"""How far the takeover of a running business has come."""

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from db.models.base import metadata, moment

# `cursors`: by stage, the last object of the last page that was applied, or null when there are no more.
# `state`: running (also after an interruption), finished, or abandoned for another that began anew.
imports = Table(
    "imports",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="running"),
    moment("started_at", nullable=False, server_default=text("clock_timestamp()")),
    moment("beat_at", nullable=False, server_default=text("clock_timestamp()")),
    moment("finished_at"),
    Column("cursors", JSONB, nullable=False, server_default="{}"),
    Column("counts", JSONB, nullable=False, server_default="{}"),
    Index("imports_running", "source", unique=True, postgresql_where=text("state = 'running'")),
)
