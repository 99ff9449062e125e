"""What is left of a person: every value of every column of every table, looked through for a mark."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, LargeBinary, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import metadata


async def remains(connection: AsyncConnection, mark: str) -> set[str]:
    """The columns, as `table.column`, that hold this mark somewhere, whatever their type."""
    found = set()
    for table in metadata.sorted_tables:
        shown = ", ".join(f'bool_or({_readable(column)} LIKE :mark) AS "{column.name}"' for column in table.c)
        query = text(f"SELECT {shown} FROM {table.name}")  # noqa: S608  # names of our own
        row = (await connection.execute(query, {"mark": f"%{mark.lower()}%"})).mappings().one()
        found |= {f"{table.name}.{name}" for name, held in row.items() if held}
    return found


def _readable(column: Column[Any]) -> str:
    """Bytes as escaped text, in which what is ASCII can be read."""
    if isinstance(column.type, LargeBinary):
        return f"""lower(encode("{column.name}", 'escape'))"""
    return f'lower("{column.name}"::text)'
