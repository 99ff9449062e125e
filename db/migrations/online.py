"""Changes to a database that is full and in use.

Every statement of a migration is a transaction of its own: a lock is held for as long as that one statement
takes, and never beside another. So a migration can be interrupted anywhere, and is then run again from its
beginning: each of these leaves alone what is there already, and all else that it does must bear that as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

# Customers whose rows are changed by one statement: they are locked for some tens of milliseconds.
AT_ONCE = 1000

_LEFT_OVER = sa.text("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid")


def table(name: str, *parts: Any) -> None:
    """A new table. A foreign key locks the table that it names against writing, for a moment."""
    op.create_table(name, *parts, if_not_exists=True)


def column(name: str, new: sa.Column[Any]) -> None:
    """A new column of a table, empty or with a constant default: then its rows are not written anew."""
    op.add_column(name, new, if_not_exists=True)


def settings(name: str, **values: str) -> None:
    """How PostgreSQL keeps a table from now on. Whoever reads or writes it waits for nothing."""
    op.execute(f"ALTER TABLE {name} SET ({', '.join(f'{key} = {value}' for key, value in values.items())})")


def index(name: str, of: str, parts: Sequence[Any], **options: Any) -> None:
    """An index that is built while others go on writing. What an interrupted attempt left is built anew."""
    # It waits for whoever has begun before it, and nobody waits for it meanwhile: there is no hurry.
    op.execute("SET lock_timeout = 0")
    if op.get_bind().execute(_LEFT_OVER, {"name": name}).first():
        op.drop_index(name, postgresql_concurrently=True)
    op.create_index(name, of, parts, postgresql_concurrently=True, if_not_exists=True, **options)
    op.execute("RESET lock_timeout")


def rows(statement: str) -> None:
    """Change rows some customers at a time; `statement` names them by their ids, `:first` to `:last`."""
    bind = op.get_bind()
    most = bind.execute(sa.text("SELECT max(id) FROM customers")).scalar() or 0
    for first in range(1, most + 1, AT_ONCE):
        bind.execute(sa.text(statement), {"first": first, "last": first + AT_ONCE - 1})
