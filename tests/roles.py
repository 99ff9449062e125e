"""Processes in tests with the rights that they have in production."""

from __future__ import annotations

import asyncio

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db import roles


def make_roles(url: str) -> None:
    """Make the role of each process in this database, and let it log in."""

    async def make() -> None:
        engine = create_async_engine(url, poolclass=NullPool)
        async with engine.begin() as connection:
            for name in await roles.apply(connection, make=True):
                await connection.execute(text(f"ALTER ROLE {name} LOGIN"))

    asyncio.run(make())


def as_role(url: str, process: str) -> str:
    """The same database for somebody who may do what this process may."""
    return make_url(url).set(username=roles.role(process)).render_as_string(hide_password=False)
