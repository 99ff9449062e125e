"""Many rows in one statement: it is planned once, the same for any number of rows, and each row costs little.

Statements that are sent row by row cost the server as much as the row itself, and ones with a list of values
in them are others for each length of the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Table, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert

Rows = Sequence[Mapping[str, Any]]


@cache
def inserting(table: Table, names: tuple[str, ...]) -> Insert:
    """Insert rows with these columns, in their order, from what `columns_of` or `attributes_of` gives.

    No column may be an array.
    """
    arrays = [bindparam(name, type_=ARRAY(table.c[name].type)) for name in names]
    rows = func.unnest(*arrays).table_valued(*names, name="new").render_derived()
    return insert(table).from_select(names, select(*(rows.c[name] for name in names)))


@cache
def upserting(table: Table, names: tuple[str, ...]) -> Insert:
    """The same, overwriting rows with the same primary key. None of the new ones may have the same."""
    statement = inserting(table, names)
    keys = [column.name for column in table.primary_key]
    changes = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)


def columns_of(rows: Rows) -> dict[str, list[Any]]:
    """The rows' values by column. All rows have the same columns."""
    return {name: list(map(itemgetter(name), rows)) for name in rows[0]}


def attributes_of(values: Sequence[object], names: tuple[str, ...]) -> dict[str, list[Any]]:
    """The same of values that have an attribute for each of two columns or more."""
    return dict(zip(names, map(list, zip(*map(attrgetter(*names), values), strict=True)), strict=True))
