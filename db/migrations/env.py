"""Alembic's entry point. Only `db.migrate` calls it, and hands over an open connection."""

from alembic import context

from db.models import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
