"""How well we are in step with the provider, in figures. Read only; ages are by the database's clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import differences


@dataclass(frozen=True, slots=True)
class Reconciled:
    """`ages` by kind: since its last success, or since there has been somebody to do it.

    `filled` events that never arrived were taken in, of all times. `differences` by status: see
    `db.models.reconciling`.
    """

    ages: Mapping[str, timedelta] = field(default_factory=dict)
    filled: int = 0
    differences: Mapping[str, int] = field(default_factory=dict)


_RUNS = text("""
    SELECT kind, clock_timestamp() - coalesce(succeeded_at, created_at) AS age,
           coalesce((totals ->> 'filled')::bigint, 0) AS filled
    FROM reconciliations
    -- What has ended is due in a thousand years.
    WHERE due_at < clock_timestamp() + interval '1 year'
""")


async def read(connection: AsyncConnection) -> Reconciled:
    """As of now. What was settled is counted row by row, so not every second."""
    runs = (await connection.execute(_RUNS)).all()
    return Reconciled(
        ages={kind: max(run.age for run in runs if run.kind == kind) for kind in {run.kind for run in runs}},
        filled=sum(run.filled for run in runs),
        differences=await differences.counts(connection),
    )
