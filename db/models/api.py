"""Who may ask the team's API, and what it has answered to requests that change something."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db.models.base import metadata, moment

# `digest` is the key's SHA-256: a stolen database lets nobody in. `last_used_at` is only roughly true.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("label", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    moment("made_at", nullable=False, server_default=text("clock_timestamp()")),
    moment("expires_at"),
    moment("revoked_at"),
    moment("last_used_at"),
)

# The answer to each request that carried an Idempotency-Key (`name`), by the API key that sent it; committed
# together with what the request did. `fingerprint` is the hash of what was asked.
api_requests = Table(
    "api_requests",
    metadata,
    Column("key_id", BigInteger, ForeignKey("api_keys.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    moment("made_at", nullable=False, server_default=text("clock_timestamp()")),
    Index("api_requests_made", "made_at"),
)
