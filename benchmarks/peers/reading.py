"""A plain loop over everybody with a case, which makes accounts of their rows and does nothing with them.

Run as `python -m benchmarks.peers.reading`; prints how many there were. `dunning policy diff` reads the same
rows by the same statements.
"""

import asyncio
import os
import sys

from sqlalchemy.ext.asyncio import create_async_engine

from db import accounts
from db.lookups import customers_with_cases
from settings.urls import for_sqlalchemy

BATCH = 200  # customers


async def read(url: str) -> int:
    """The number of customers whose rows were read and parsed."""
    engine = create_async_engine(url)
    count, last = 0, 0
    async with engine.connect() as connection:
        while ids := await customers_with_cases(connection, since=None, after=last, limit=BATCH):
            count += len(await accounts.load(connection, ids, facts_only=True))
            last = ids[-1]
    await engine.dispose()
    return count


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(read(for_sqlalchemy(os.environ['DATABASE_URL'])))}\n")
