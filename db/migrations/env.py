"""Alembic's entry point. Only `db.migrate` calls it, with a connection that commits each statement."""

from alembic import context

from db.models import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
