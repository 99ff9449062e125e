"""Work on many customers, some of them in each transaction, with a bar where a person is looking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from cli.database import write
from cli.progress import progress
from cli.saying import tried
from cli.tables import in_terminal
from settings import ToolSettings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")

# Customers in one transaction: their rows are locked so long.
BATCH = 20


def in_batches(
    settings: ToolSettings,
    ids: Sequence[int],
    work: Callable[[AsyncConnection, Sequence[int]], Awaitable[T]],
    *,
    dry_run: bool,
    quiet: bool,
) -> Iterator[T]:
    """What `work` returns of each batch of customers (row ids, ascending), once it is committed.

    Of a dry run nothing stays. Raises CommandError when the database cannot be used.
    """
    with progress("Customers", len(ids), shown=in_terminal() and not quiet) as advance:
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]

            async def one(connection: AsyncConnection, batch: Sequence[int] = batch) -> T:
                return await work(connection, batch)

            yield write(settings, tried(one) if dry_run else one)
            advance(len(batch))
